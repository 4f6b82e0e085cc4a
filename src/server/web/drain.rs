//! A request that is answered before its body has come: a session has ended, a form comes from elsewhere, a file is too
//! large. What still comes is read to its end, up to a point, and thrown away, before the answer leaves. A connection
//! that is closed upon somebody who still sends takes the answer along: browsers show an error of their own, and a proxy
//! answers 502.

use super::state::AppState;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::oneshot;

/// Who sends nothing for so long gets the answer at once.
const PAUSE: Duration = Duration::from_secs(5);

/// Reads on after the answer is known, as far as the largest file that could be sent.
pub async fn read_on(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Such a client sends nothing before it is told to.
    let waits = request.headers().contains_key(EXPECT);
    let (left, rest) = oneshot::channel();
    let request = request.map(|body| Body::new(Lent { body, left: Some(left), asked: !waits }));
    let response = next.run(request).await;
    if let Ok(body) = { rest }.try_recv() {
        throw_away(body, state.config.import_max).await;
    }
    response
}

async fn throw_away(body: Body, mut most: u64) {
    // What would not be read to its end need not be read.
    if body.size_hint().lower() > most {
        return;
    }
    let mut body = body.into_data_stream();
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout(PAUSE, body.next()).await {
        match most.checked_sub(chunk.len() as u64) {
            Some(rest) => most = rest,
            None => return,
        }
    }
}

/// A body that comes back when nobody reads it any more and there is more of it.
struct Lent {
    body: Body,
    /// None at the end.
    left: Option<oneshot::Sender<Body>>,
    /// Whether the client sends it, asked or not.
    asked: bool,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.asked = true;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.left = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(left) = self.left.take().filter(|_| self.asked && !self.body.is_end_stream()) {
            // Nobody waits for it when the request itself has gone.
            let _ = left.send(std::mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::server::db::Db;
    use crate::server::db::testing::on_both;
    use crate::server::web::testing::{Served, multipart};
    use tokio::io::AsyncReadExt;

    /// More than what the system holds for two sockets.
    const MUCH: usize = 8 * 1024 * 1024;

    /// The whole body is written before the answer is read, as a proxy does.
    async fn who_still_sends_gets_the_answer(db: Db) {
        let served = Served::start_with_imports(db, 2 * MUCH as u64).await;
        let ended = "vestnik=AAAAAAAAAAAAAAAAAAAAAA";
        let (_, anna) = served.somebody("anna@example.org").await;
        let (kind, body) = multipart("clients.csv", &vec![b'a'; MUCH]);
        let foreign = ("Origin", "https://evil.example");
        let form = "application/x-www-form-urlencoded";
        for (what, path, cookie, kind, from, status) in [
            ("no session any more", "/clients/upload", ended, kind, ("X-A", "b"), 303),
            ("a picture of nobody", "/posts/images/upload", ended, kind, ("X-A", "b"), 401),
            ("what is no picture", "/posts/images/upload", &*anna, kind, ("X-A", "b"), 422),
            ("another site", "/clients/upload", &*anna, kind, foreign, 403),
            ("too large a form", "/api/clients/save", &*anna, form, ("X-A", "b"), 413),
        ] {
            let headers = [("Cookie", cookie), ("Content-Type", kind), from];
            assert_eq!(served.send("POST", path, &headers, &body).await.status, status, "{what}");
        }
    }

    async fn who_waits_to_be_asked_sends_nothing(db: Db) {
        let served = Served::start(db).await;
        let headers = [("Expect", "100-continue"), ("Content-Type", "multipart/form-data; boundary=edge")];
        let mut stream = served.open("POST", "/clients/upload", &headers, MUCH).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    }

    on_both!(who_still_sends_gets_the_answer, who_waits_to_be_asked_sends_nothing);
}
