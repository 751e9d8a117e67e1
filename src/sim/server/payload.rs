//! Response bodies: hyper writes them, and a fault may cut them off.
//!
//! Must not decide when; the server does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::sim::reply::ByteStream;

/// A response body that can be whole, cut off half way, or open-ended.
pub struct Payload {
    inner: Inner,
    flushed: bool,
}

enum Inner {
    Full(Option<Bytes>),
    /// Promises `total` bytes, gives fewer, then fails, whereupon hyper closes the connection.
    Cut {
        first: Option<Bytes>,
        total: u64,
    },
    Stream(ByteStream),
    CutStream(ByteStream),
    Broken,
}

impl Payload {
    /// A body that goes on for as long as the stream does.
    pub(super) fn stream(body: ByteStream) -> Self {
        Self { inner: Inner::Stream(body), flushed: false }
    }

    /// A whole body.
    pub(super) fn full(bytes: Bytes) -> Self {
        Self { inner: Inner::Full(Some(bytes)), flushed: false }
    }

    /// Fails, but only after hyper had a turn to write out what it was given.
    fn break_off<T>(mut self: Pin<&mut Self>, context: &Context<'_>) -> Poll<Option<Result<T, io::Error>>> {
        if std::mem::replace(&mut self.flushed, true) {
            return Poll::Ready(Some(Err(io::Error::other("cut off on purpose"))));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Cuts it off half way.
    pub(super) fn truncate(&mut self) {
        self.inner = match std::mem::replace(&mut self.inner, Inner::Broken) {
            Inner::Full(Some(bytes)) => {
                Inner::Cut { total: bytes.len() as u64, first: Some(bytes.slice(..bytes.len() / 2)) }
            }
            Inner::Stream(body) => Inner::CutStream(body),
            other => other,
        };
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.inner {
            Inner::Full(bytes) => Poll::Ready(
                bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))),
            ),
            Inner::Cut { first, .. } => match first.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => self.as_mut().break_off(context),
            },
            Inner::Stream(body) => {
                body.as_mut().poll_next(context).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
            }
            Inner::CutStream(body) => {
                let next = std::task::ready!(body.as_mut().poll_next(context));
                self.inner = Inner::Broken;
                Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
            }
            Inner::Broken => self.as_mut().break_off(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.inner, Inner::Full(bytes) if bytes.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inner::Cut { total, .. } => SizeHint::with_exact(*total),
            Inner::Stream(_) | Inner::CutStream(_) | Inner::Broken => SizeHint::new(),
        }
    }
}
