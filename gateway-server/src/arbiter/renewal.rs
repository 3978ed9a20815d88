//! Certificates whose files have changed while the server runs: read anew in a process of their own,
//! and handed to workers that serve already. Nothing else is reloaded.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use super::event::Generation;
use super::preparation::Preparation;
use super::releases::Releases;
use crate::os::process::Image;
use crate::prepare::Parcel;

/// Whether certificates are to be read, or are being read.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    reading: Option<Preparation>,
    /// A file has changed since that began.
    wanted: bool,
}

impl Renewal {
    /// A file has changed.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Begins if that is wanted and nobody is at it.
    ///
    /// # Errors
    ///
    /// The kernel's: too many processes or files, no memory.
    pub(super) fn begin(
        &mut self,
        image: &Image,
        releases: &Releases,
        now: Duration,
    ) -> io::Result<()> {
        if !self.wanted || self.reading.is_some() {
            return Ok(());
        }
        self.wanted = false;
        let (generation, serving) = (releases.serving_generation(), releases.serving());
        if serving.tls.is_some() {
            let deadline = now + serving.config.boot_timeout;
            let config = serving.wire.as_fd();
            self.reading = Some(Preparation::of_certificates(
                image, config, generation, deadline,
            )?);
        }
        Ok(())
    }

    /// What runs.
    pub(super) fn reading(&self) -> Option<&Preparation> {
        self.reading.as_ref()
    }

    /// The same, to be told of its end.
    pub(super) fn reading_mut(&mut self) -> Option<&mut Preparation> {
        self.reading.as_mut()
    }

    /// Nothing is read any more.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// What was read, and for which generation.
    pub(super) fn hear(&mut self, now: Duration) -> Option<(Generation, Parcel)> {
        let reading = self.reading.as_ref()?;
        let parcel = match reading.hear() {
            Some(parcel) => parcel,
            None if now < reading.deadline => return None,
            None => Parcel::Refused(vec!["reading them took too long".to_owned()]),
        };
        let generation = reading.generation;
        self.reading = None;
        Some((generation, parcel))
    }
}
