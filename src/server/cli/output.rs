//! Standard output of commands.

use std::io::{self, StdoutLock, Write};

/// Standard output. A reader who goes (`| head`) wants no more, which is no failure.
pub fn out() -> Out<StdoutLock<'static>> {
    Out(io::stdout().lock())
}

/// A writer to somebody who may go.
pub struct Out<W>(W);

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails like this.
    struct Fails(io::ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_who_is_gone_is_no_failure_and_a_full_disk_is_one() {
        let mut gone = Out(Fails(io::ErrorKind::BrokenPipe));
        writeln!(gone, "a line").and_then(|()| gone.flush()).unwrap();
        let mut full = Out(Fails(io::ErrorKind::StorageFull));
        assert!(writeln!(full, "a line").is_err() && full.flush().is_err());
    }
}
