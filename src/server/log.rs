//! The log, and all else that is said on standard error. Nobody waits for it: a thread of its own writes the lines, and
//! what cannot be written (the reader is gone or stands still, the disk is full, the terminal closed) is dropped and
//! counted.

use super::metrics;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Lines that wait to be written, at most.
const WAITING: usize = 10_000;
/// How long the end of the process waits for them.
const FAREWELL: Duration = Duration::from_secs(1);
/// Parsers of HTML that would log every word of a letter, the links that let somebody in among them.
const TALKERS: [&str; 2] = ["html5ever=warn", "html2text=warn"];

static LOG: OnceLock<Log> = OnceLock::new();

/// Starts the log, on standard error; panics go there, too.
///
/// # Errors
/// Says what is wrong with the filter.
pub fn start(filter: &str) -> Result<(), String> {
    let mut filter = EnvFilter::try_new(filter).map_err(|error| format!("VESTNIK_LOG: {error}"))?;
    for directive in TALKERS {
        filter = filter.add_directive(directive.parse().map_err(|error| format!("{directive}: {error}"))?);
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines)
        // It would be said on standard error, by a macro that panics where that cannot be written.
        .log_internal_errors(false)
        .init();
    std::panic::set_hook(Box::new(tell_of_panic));
    Ok(())
}

/// Says a line on standard error, after all that was said before.
pub fn say(line: &str) {
    LOG.get_or_init(|| Log::start(io::stderr())).send(format!("{line}\n").into_bytes());
}

/// Waits until what was said is written, but not for long.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.flush(FAREWELL);
    }
}

/// The standard library's own words go to standard error, for which they would wait.
fn tell_of_panic(info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let backtrace =
        if backtrace.status() == BacktraceStatus::Captured { format!("\n{backtrace}") } else { String::new() };
    tracing::error!("{info}{backtrace}");
}

enum Line {
    Text(Vec<u8>),
    Flush(SyncSender<()>),
}

/// The way to the thread that writes.
struct Log(SyncSender<Line>);

impl Log {
    fn start(out: impl Write + Send + 'static) -> Self {
        let (sender, lines) = sync_channel(WAITING);
        // Without a thread every line is dropped and counted.
        let _ = std::thread::Builder::new().name("vestnik-log".to_owned()).spawn(move || write(out, &lines));
        Self(sender)
    }

    fn send(&self, line: Vec<u8>) {
        if self.0.try_send(Line::Text(line)).is_err() {
            metrics::log_line_lost();
        }
    }

    fn flush(&self, patience: Duration) {
        let (done, written) = sync_channel(1);
        let mut ask = Line::Flush(done);
        let begun = std::time::Instant::now();
        while begun.elapsed() < patience {
            match self.0.try_send(ask) {
                Ok(()) => {
                    // Whether it came in time or not, that was all the patience there is.
                    let _ = written.recv_timeout(patience);
                    return;
                }
                Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(back)) => ask = back,
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Writes lines until nobody is left who could say more. Once it works again, it tells how many were lost.
fn write(mut out: impl Write, lines: &Receiver<Line>) {
    let mut told = metrics::log_lines_lost();
    for line in lines {
        match line {
            // Who asked may have lost patience.
            Line::Flush(done) => drop(done.send(())),
            Line::Text(line) => {
                let lost = metrics::log_lines_lost();
                if lost > told {
                    let word = format!("vestnik: {} lines of the log could not be written\n", lost - told);
                    if out.write_all(word.as_bytes()).is_ok() {
                        told = lost;
                    }
                }
                if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                    metrics::log_line_lost();
                }
            }
        }
    }
}

/// Where to write lines, which are said together when this is dropped.
pub fn lines() -> Lines {
    Lines(Vec::new())
}

/// Lines that are being written.
pub struct Lines(Vec<u8>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            LOG.get_or_init(|| Log::start(io::stderr())).send(std::mem::take(&mut self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};

    /// Fails while it is told to, and tells of each line it took.
    struct Fickle {
        fails: Arc<Mutex<bool>>,
        took: Sender<String>,
    }

    impl Write for Fickle {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if *self.fails.lock().unwrap() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.took.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_dropped_and_counted_and_nobody_waits() {
        let (fails, (took, lines)) = (Arc::new(Mutex::new(false)), channel());
        let log = Log::start(Fickle { fails: fails.clone(), took });
        let say = |line: &str| log.send(format!("{line}\n").into_bytes());
        let flush = || log.flush(Duration::from_secs(60));
        say("first");
        flush();
        *fails.lock().unwrap() = true;
        let before = metrics::log_lines_lost();
        say("second");
        say("third");
        flush();
        assert_eq!(metrics::log_lines_lost() - before, 2);
        // The writer stands still; all that does not fit goes, and who says it goes on.
        let stands_still = fails.lock().unwrap();
        for _ in 0..WAITING + 10 {
            say("more");
        }
        assert!(metrics::log_lines_lost() - before >= 2 + 9);
        log.flush(Duration::from_millis(20));
        drop(stands_still);
        flush();
        *fails.lock().unwrap() = false;
        say("last");
        flush();
        let lines: Vec<String> = lines.try_iter().collect();
        assert_eq!((lines[0].as_str(), lines[2].as_str(), lines.len()), ("first\n", "last\n", 3));
        assert!(lines[1].contains("lines of the log could not be written"), "{}", lines[1]);
    }
}
