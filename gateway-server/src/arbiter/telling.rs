//! What the master tells: its log, the service manager, hooks, whoever waits on the control socket, `gatewayd
//! dev`.

use super::event::{Loudness, Note};
use super::hooks::{self, Occasion, Which};
use super::{Arbiter, obituary};
use crate::banner;
use crate::config::AppConfig;
use crate::workbench::{Outcome, Workbench};

impl Arbiter {
    pub(super) fn tell(&mut self, note: &Note) {
        if let Some(outcome) = outcome(note)
            && let Some(folder) = &self.releases.config().workbench
        {
            Workbench::at(folder).tell(&outcome);
        }
        self.supervisor.tell(note);
        if let Some(outcome) = hooks::outcome(note) {
            self.run_hook(&Occasion::Reload(outcome));
        }
        if let Note::StoppingNow = note {
            self.hooks.end(Which::All);
        }
        self.control.note(note, self.clock());
        self.ledger.note(note);
        if let Note::Up { workers, took } = note {
            let release = self.releases.serving();
            // Under `dev` it is but a link, and may lead nowhere yet.
            let is_file = release.config.workbench.is_none();
            let apps: Vec<_> = release.config.all_apps().map(AppConfig::shown).collect();
            let apps = apps.into_iter();
            let apps = apps.map(|(name, path)| (name, path.filter(|_| is_file)));
            let served = banner::Served::of(&self.app, apps);
            let line = banner::line(&served, &release.urls, *workers, *took);
            return tracing::info!("{line}");
        }
        if let Note::Target { pool, .. } = note
            && let Some(name) = self.releases.pools().name_of(*pool)
        {
            return tracing::info!("{name}: {note}");
        }
        if let Note::GracefulTimeout { worker, .. } = note
            && let Some(handle) = self.workers.get(worker)
            && !obituary::tell_held(*worker, handle.page())
        {
            return tracing::info!("{worker} has no request left and closes what is idle");
        }
        match note.loudness() {
            Loudness::Error => tracing::error!("{note}"),
            Loudness::Warn => tracing::warn!("{note}"),
            Loudness::Info => tracing::info!("{note}"),
            Loudness::Debug => tracing::debug!("{note}"),
        }
    }
}

/// What `gatewayd dev` waits to hear.
fn outcome(note: &Note) -> Option<Outcome> {
    match note {
        Note::Up { .. } => Some(Outcome::Up),
        Note::Reloaded { .. } => Some(Outcome::Serving),
        Note::ReloadFailed { reason } | Note::UpgradeFailed { reason } => {
            Some(Outcome::Refused(reason.clone()))
        }
        _ => None,
    }
}
