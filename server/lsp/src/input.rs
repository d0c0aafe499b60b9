//! The client's messages, with an eye on their end.
//!
//! The transport finishes what it has before it returns at the end of its input, which a running program can delay by
//! its whole deadline. This tells the server at once.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::oneshot;

/// A reader that says when it has ended.
#[derive(Debug)]
pub(crate) struct WatchedInput<R> {
    inner: R,
    /// Dropped at the end.
    open: Option<oneshot::Sender<()>>,
}

impl<R> WatchedInput<R> {
    /// The reader, and a future that is done when the reader has ended, failed or been dropped.
    pub(crate) fn new(inner: R) -> (Self, impl Future<Output = ()>) {
        let (open, ended) = oneshot::channel();
        (Self { inner, open: Some(open) }, async {
            let _ = ended.await;
        })
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for WatchedInput<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let ended = match &read {
            Poll::Ready(Ok(())) => buffer.filled().len() == before && buffer.remaining() > 0,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if ended {
            self.open = None;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn the_end_of_the_input_is_told_when_it_is_read() {
        let (mut client, server) = tokio::io::duplex(64);
        let (mut input, ended) = WatchedInput::new(server);
        let mut ended = Box::pin(ended);
        client.write_all(b"x").await.expect("open");
        assert_eq!(input.read_u8().await.expect("a byte"), b'x');
        tokio::select! {
            biased;
            () = &mut ended => panic!("the input is still open"),
            () = async {} => {}
        }
        drop(client);
        assert_eq!(input.read(&mut [0; 8]).await.expect("the end"), 0);
        ended.await;
    }
}
