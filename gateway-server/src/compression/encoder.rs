//! [`Encoder`]: content in, compressed content out, whatever the coding.

use std::fmt;
use std::io::{self, Write as _};
use std::mem;

use brotli::CompressorWriter;
use flate2::write::GzEncoder;
use zstd::stream::raw::CParameter;
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::coding::Coding;

/// One content on its way. The levels are those at which a processor does a hundred megabytes a second or
/// so: answers are compressed while somebody waits for them.
pub(crate) struct Encoder {
    kind: Kind,
    coding: Coding,
}

enum Kind {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
    Finished(Vec<u8>),
}

impl Encoder {
    /// One for a content.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub(crate) fn new(coding: Coding) -> io::Result<Self> {
        let kind = match coding {
            Coding::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Kind::Gzip(GzEncoder::new(Vec::new(), level))
            }
            Coding::Brotli => {
                let writer = CompressorWriter::new(Vec::new(), BUFFER, BROTLI_LEVEL, WINDOW);
                Kind::Brotli(Box::new(writer))
            }
            Coding::Zstd => {
                let mut encoder = ZstdEncoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.set_parameter(CParameter::WindowLog(WINDOW))?;
                Kind::Zstd(encoder)
            }
        };
        Ok(Self { kind, coding })
    }

    /// All of a content at once.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub(crate) fn whole(coding: Coding, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = Self::new(coding)?;
        encoder.write(content)?;
        encoder.finish()?;
        Ok(encoder.take())
    }

    /// Takes more of the content.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        match &mut self.kind {
            Kind::Gzip(encoder) => encoder.write_all(content),
            Kind::Brotli(encoder) => encoder.write_all(content),
            Kind::Zstd(encoder) => encoder.write_all(content),
            Kind::Finished(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Has [`Encoder::take`] bring all that a client needs to read what was written so far.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Gzip(encoder) => encoder.flush(),
            Kind::Brotli(encoder) => encoder.flush(),
            Kind::Zstd(encoder) => encoder.flush(),
            Kind::Finished(_) => Ok(()),
        }
    }

    /// The content has ended.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let rest = match mem::replace(&mut self.kind, Kind::Finished(Vec::new())) {
            Kind::Gzip(encoder) => encoder.finish()?,
            Kind::Brotli(encoder) => encoder.into_inner(),
            Kind::Zstd(encoder) => encoder.finish()?,
            Kind::Finished(rest) => rest,
        };
        self.kind = Kind::Finished(rest);
        Ok(())
    }

    /// What is compressed by now.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        mem::take(match &mut self.kind {
            Kind::Gzip(encoder) => encoder.get_mut(),
            Kind::Brotli(encoder) => encoder.get_mut(),
            Kind::Zstd(encoder) => encoder.get_mut(),
            Kind::Finished(rest) => rest,
        })
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoder({})", self.coding.name())
    }
}

const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;
/// Logarithm of the bytes that are looked back at, which decides how much memory a content takes.
const WINDOW: u32 = 18;
/// Bytes that are handed on at once.
const BUFFER: usize = 4096;

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn unpacked(coding: Coding, packed: &[u8]) -> Vec<u8> {
        let mut content = vec![0; 1 << 20];
        let mut filled = 0;
        let mut reader: Box<dyn io::Read> = match coding {
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(packed)),
            Coding::Brotli => Box::new(brotli::Decompressor::new(packed, BUFFER)),
            Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(packed).unwrap()),
        };
        // What is not all there ends with an error, behind what is there.
        while let Ok(count @ 1..) = reader.read(&mut content[filled..]) {
            filled += count;
        }
        content.truncate(filled);
        content
    }

    #[test]
    fn every_coding_gives_back_what_it_was_given() {
        let text = "All work and no play makes Jack a dull boy.\n".repeat(5000);
        for coding in Coding::ALL {
            let packed = Encoder::whole(coding, text.as_bytes()).unwrap();
            assert!(
                packed.len() < text.len() / 20,
                "{coding:?} {}",
                packed.len()
            );
            assert!(unpacked(coding, &packed) == text.as_bytes(), "{coding:?}");
            assert!(unpacked(coding, &Encoder::whole(coding, b"").unwrap()).is_empty());
        }
    }

    #[test]
    fn what_is_flushed_can_be_read_before_the_end() {
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding).unwrap();
            let (mut packed, mut written) = (Vec::new(), Vec::new());
            for word in ["one ", "two ", "three "] {
                encoder.write(word.as_bytes()).unwrap();
                encoder.flush().unwrap();
                packed.extend(encoder.take());
                written.extend_from_slice(word.as_bytes());
                assert_eq!(unpacked(coding, &packed), written, "{coding:?}");
            }
            encoder.finish().unwrap();
            packed.extend(encoder.take());
            assert_eq!(unpacked(coding, &packed), written, "{coding:?}");
        }
    }
}
