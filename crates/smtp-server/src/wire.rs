//! The two directions of a connection: bounded lines in, replies out once per batch of input.

use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Input is looked at in pieces of this many bytes; it also bounds the replies that can pile up, since
/// they are written before more input is read.
const BUFFER: usize = 16 * 1024;
/// How long a closing server listens for what is still under way, so that its last reply is not lost
/// to a connection reset.
const LINGER: Duration = Duration::from_secs(1);
/// And to how many bytes of it, so that nobody is listened to who will not end.
const LINGER_BYTES: usize = 1024 * 1024;
/// How long a silent server keeps a connection whose peer may have vanished.
const SILENCE: Duration = Duration::from_secs(3600);
/// What line noise looks like: not UTF-8, not a reply.
const GARBAGE: &[u8] = b"\xff\xfe\x80\x00\x1b[2J2\xc3\x28\xa0\xa1 ~}#!{\x07\r\n";

/// Why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The connection broke, or is to be dropped as it stands.
    Gone,
    /// The last reply is to be delivered before closing.
    Closing,
    /// Nothing came for too long.
    Idle,
    /// The plain part is over; TLS comes next.
    StartTls,
}

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Without its line end, or with it from [`Wire::raw_line`].
    Text(Vec<u8>),
    /// Longer than allowed; it was read to its end and thrown away.
    TooLong,
}

/// A stream with an input buffer and the replies not yet written.
pub struct Wire<S> {
    reader: BufReader<S>,
    out: Vec<u8>,
    idle: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S, idle: Duration) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER, stream), out: Vec::new(), idle }
    }

    /// The stream; input that was read ahead is thrown away, as STARTTLS demands (RFC 3207, section 5).
    pub fn into_inner(self) -> S {
        self.reader.into_inner()
    }

    /// Queues a reply.
    pub fn push(&mut self, reply: &[u8]) {
        self.out.extend_from_slice(reply);
    }

    /// Writes the queued replies.
    pub async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let stream = self.reader.get_mut();
        let write = async {
            stream.write_all(&self.out).await?;
            stream.flush().await
        };
        match timeout(self.idle, write).await {
            Ok(Ok(())) => {
                self.out.clear();
                Ok(())
            }
            _ => Err(End::Gone),
        }
    }

    /// Waits until some input is there; the replies go out first if that means waiting.
    pub async fn fill(&mut self) -> Result<(), End> {
        if !self.reader.buffer().is_empty() {
            return Ok(());
        }
        self.flush().await?;
        match timeout(self.idle, self.reader.fill_buf()).await {
            Ok(Ok(input)) if !input.is_empty() => Ok(()),
            Ok(_) => Err(End::Gone),
            Err(_) => Err(End::Idle),
        }
    }

    /// The input that is there.
    pub fn input(&self) -> &[u8] {
        self.reader.buffer()
    }

    /// Marks input as used.
    pub fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }

    /// The next line of at most `limit` bytes. A lone LF ends it too, for people with netcat.
    pub async fn line(&mut self, limit: usize) -> Result<Line, End> {
        let Line::Text(mut line) = self.raw_line(limit).await? else { return Ok(Line::TooLong) };
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Line::Text(line))
    }

    /// The next bytes up to and with LF, at most `limit` of them, for whoever minds how a line ends.
    pub async fn raw_line(&mut self, limit: usize) -> Result<Line, End> {
        let (mut line, mut too_long) = (Vec::new(), false);
        loop {
            self.fill().await?;
            let input = self.reader.buffer();
            let end = input.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(input.len(), |at| at + 1);
            too_long |= line.len() + used > limit;
            if !too_long {
                line.extend_from_slice(&input[..used]);
            }
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(if too_long { Line::TooLong } else { Line::Text(line) })
    }

    /// Waits before the next reply; earlier ones go out first.
    pub async fn pause(&mut self, delay: Duration) -> Result<(), End> {
        self.flush().await?;
        sleep(delay).await;
        Ok(())
    }

    /// Writes a reply so many bytes at a time, with a pause between them.
    pub async fn drip(&mut self, reply: &[u8], bytes: usize, pause: Duration) -> Result<(), End> {
        self.flush().await?;
        for (number, piece) in reply.chunks(bytes.max(1)).enumerate() {
            if number > 0 {
                sleep(pause).await;
            }
            self.push(piece);
            self.flush().await?;
        }
        Ok(())
    }

    /// Queues line noise.
    pub fn garbage(&mut self) {
        self.push(GARBAGE);
    }

    /// Writes `line` for as long as the peer reads it.
    pub async fn endless(&mut self, line: &[u8]) -> End {
        let block = line.repeat(1024 / line.len().max(1) + 1);
        loop {
            self.push(&block);
            if let Err(end) = self.flush().await {
                return end;
            }
            // Enough to swamp a careless client, without taking a processor for itself.
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Says nothing more, and keeps the connection until the peer gives up.
    pub async fn silence(&mut self) -> End {
        if self.flush().await.is_ok() {
            self.discard(Instant::now() + SILENCE, usize::MAX).await;
        }
        End::Gone
    }

    /// Closes the connection as `end` asks.
    pub async fn close(mut self, end: End) {
        match end {
            End::Gone | End::StartTls => return,
            End::Idle => self.push(b"421 4.4.2 Nothing came for too long, closing\r\n"),
            End::Closing => {}
        }
        if self.flush().await.is_ok() && self.reader.get_mut().shutdown().await.is_ok() {
            self.discard(Instant::now() + LINGER, LINGER_BYTES).await;
        }
    }

    /// Reads and forgets until the peer closes, the deadline comes or there was too much.
    async fn discard(&mut self, deadline: Instant, most: usize) {
        let (mut sink, mut left) = ([0; 1024], most);
        while let Ok(Ok(length @ 1..)) = timeout_at(deadline, self.reader.read(&mut sink)).await
            && length < left
        {
            left -= length;
        }
    }
}
