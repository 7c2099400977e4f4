//! The socket of a connection. It tells the connection's [`Activity`] what arrives and whether the client takes what is
//! written.

use super::activity::Activity;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;

/// How many bytes are read at once.
const READ_SIZE: usize = 16 * 1024;

pub(super) struct Socket {
    inner: TokioIo<TcpStream>,
    activity: Arc<Activity>,
    /// What a client is told whose request's head does not arrive in time.
    head_timeout: Arc<[u8]>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>, head_timeout: Arc<[u8]>) -> Self {
        Self { inner: TokioIo::new(stream), activity, head_timeout }
    }

    fn note_write<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.activity.wrote(written.is_pending());
        written
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.activity.is_head_overdue() {
            // A socket that takes nothing has no room for the reason either.
            let answer = Arc::clone(&self.head_timeout);
            let _ = Pin::new(&mut self.inner).poll_write(context, &answer);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        loop {
            ready!(self.inner.inner().poll_read_ready(context))?;
            // What arrives goes through a buffer of its own, because only unsafe code may look into hyper's.
            let mut bytes = [0; READ_SIZE];
            let wanted = buffer.remaining().min(READ_SIZE);
            match self.inner.inner().try_read(&mut bytes[..wanted]) {
                Ok(length) => {
                    self.activity.received(&bytes[..length]);
                    buffer.put_slice(&bytes[..length]);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
