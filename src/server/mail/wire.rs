//! Bytes to and from a mail server: buffered lines in, whole writes out.

use super::reply::{MAX_LINE, Reply, ReplyError, ReplyParser};
use super::secrets::Secrets;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A stream of either kind, plain or encrypted.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// What can go wrong between two commands.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the server closed the connection")]
    Closed,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

/// A stream with what was read from it and not used yet.
pub struct Wire<S> {
    io: S,
    buffer: Vec<u8>,
    used: usize,
    secrets: Secrets,
}

impl<S: Io> Wire<S> {
    /// In the text of no reply these secrets stand.
    pub fn new(io: S, secrets: Secrets) -> Self {
        Self { io, buffer: Vec::with_capacity(1024), used: 0, secrets }
    }

    /// Whether the server said more than it was asked.
    pub fn has_unread(&self) -> bool {
        self.used < self.buffer.len()
    }

    /// The stream alone.
    pub fn into_inner(self) -> S {
        self.io
    }

    /// Writes all of it.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.io.write_all(bytes).await?;
        self.io.flush().await
    }

    /// Writes all of it, and keeps count of how many bytes the stream has taken, also when it fails or is dropped.
    pub async fn write_counted(&mut self, bytes: &[u8], taken: &mut usize) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = self.io.write(rest).await?;
            if length == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            *taken += length;
            rest = &rest[length..];
        }
        self.io.flush().await
    }

    /// Reads one whole reply.
    pub async fn reply(&mut self) -> Result<Reply, WireError> {
        let mut parser = ReplyParser::default();
        loop {
            let end = self.line_end().await?;
            let line = &self.buffer[self.used..end];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let reply = parser.line(line.strip_suffix(b"\r").unwrap_or(line))?;
            self.used = end;
            if self.used == self.buffer.len() {
                self.buffer.clear();
                self.used = 0;
            }
            if let Some(mut reply) = reply {
                reply.hide(&self.secrets);
                return Ok(reply);
            }
        }
    }

    /// Reads until a whole line is there; gives the place behind its line feed.
    async fn line_end(&mut self) -> Result<usize, WireError> {
        let mut searched = self.used;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|b| *b == b'\n') {
                let end = searched + at + 1;
                return if end - self.used > MAX_LINE { Err(ReplyError::LongLine.into()) } else { Ok(end) };
            }
            if self.buffer.len() - self.used >= MAX_LINE {
                return Err(ReplyError::LongLine.into());
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            searched = self.buffer.len();
            let mut chunk = [0; 2048];
            let length = self.io.read(&mut chunk).await?;
            if length == 0 {
                return Err(WireError::Closed);
            }
            self.buffer.extend_from_slice(&chunk[..length]);
        }
    }
}

impl<S: Io + 'static> Wire<S> {
    /// The same, whatever the kind of its stream.
    pub fn boxed(self) -> Wire<Box<dyn Io>> {
        Wire { io: Box::new(self.io), buffer: self.buffer, used: self.used, secrets: self.secrets }
    }
}
