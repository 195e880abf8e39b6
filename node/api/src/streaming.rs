//! Streams of server-sent events (WHATWG HTML §9.2): what changed, as it changes. A stream holds a few
//! events and no more: it reads on only as its client does, and a client that reads too slowly is cut
//! off with the reason, to go on from where it was by `Last-Event-ID`. It ends too when the node
//! stops, and when its token opens nothing any more.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tongban_types::Code;

use crate::limits::{
    EVENTS_BUFFERED, EVENTS_OF_ONE_LOOK, KEEP_ALIVE_EVERY, SLOW_READER_TIME_MAX, TOKEN_LOOK_EVERY,
};
use crate::places::Place;
use crate::problem::Problem;
use crate::state::Shared;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Says when the node stops.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<bool>);

/// One event as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Event(Bytes);

/// What a stream follows.
pub(crate) trait Source: Send + 'static {
    /// The next events, at most `limit`; none where there are no more yet.
    fn look(&mut self, api: &Shared, limit: usize) -> Result<Vec<Event>, Problem>;
}

/// Who listens, as far as the stream must look at it again and again.
pub(crate) struct Listening {
    /// Whether they may still listen.
    pub(crate) may: Box<dyn Fn(&Shared) -> bool + Send + Sync>,
    /// When the node stops; `None` where nobody would say so.
    pub(crate) stopping: Option<Stopping>,
    /// Their place, held as long as the stream is fed.
    pub(crate) place: Place,
}

/// What `Last-Event-ID` says, if it is sent.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()
}

impl Event {
    /// An event with its place, which the client gives back to go on behind it.
    pub(crate) fn new(kind: &str, id: Option<&str>, says: &impl Serialize) -> Self {
        let says = serde_json::to_string(says).expect("views hold only texts, numbers and lists");
        let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
        Self(Bytes::from(format!("event: {kind}\n{id}data: {says}\n\n")))
    }

    /// Why a stream ends.
    fn end(code: Code) -> Self {
        let entry = code.entry();
        let says = End {
            code: code.to_string(),
            zh: entry.map_or("", |entry| entry.zh),
            en: entry.map_or("", |entry| entry.en),
        };
        Self::new("end", None, &says)
    }
}

#[derive(Serialize)]
struct End {
    code: String,
    zh: &'static str,
    en: &'static str,
}

/// Answers with what a source gives, for as long as somebody listens.
pub(crate) fn stream(api: &Shared, listening: Listening, source: impl Source) -> Response {
    let (sender, events) = mpsc::channel(EVENTS_BUFFERED);
    tokio::spawn(feed(api.clone(), listening, source, sender));
    let body = Body::new(EventBody { events });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that gather an answer before they pass it on must not.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, body).into_response()
}

/// What goes through the buffer; its last is why the stream ends.
enum Piece {
    Event(Event),
    Alive,
}

async fn feed(
    api: Shared,
    listening: Listening,
    mut source: impl Source,
    sender: mpsc::Sender<Piece>,
) {
    // Held back for the reason: whoever finds the buffer full still learns why the stream ends.
    let Ok(mut last) = sender.clone().reserve_owned().await.map(Some) else {
        return;
    };
    let ended = follow(&api, &listening, &mut source, &sender).await;
    if let (Some(code), Some(last)) = (ended, last.take()) {
        last.send(Piece::Event(Event::end(code)));
    }
    // Another's from now on, whether or not the client takes what it was sent.
    drop(listening.place);
}

/// Sends until the stream must end; `None` when nobody listens any more.
async fn follow(
    api: &Shared,
    listening: &Listening,
    source: &mut impl Source,
    sender: &mpsc::Sender<Piece>,
) -> Option<Code> {
    let mut said = Instant::now();
    let mut asked = Instant::now();
    loop {
        if asked.elapsed() >= TOKEN_LOOK_EVERY {
            asked = Instant::now();
            if !(listening.may)(api) {
                return Some(Code::TOKEN_REFUSED);
            }
        }
        let here = api.node.place().ok()?;
        let events = match source.look(api, EVENTS_OF_ONE_LOOK) {
            Ok(events) => events,
            Err(problem) => return Some(problem.code()),
        };
        let is_all = events.len() < EVENTS_OF_ONE_LOOK;
        for event in events {
            said = Instant::now();
            if let Err(ended) = give(listening, sender, Piece::Event(event)).await {
                return ended;
            }
        }
        if !is_all {
            continue;
        }
        let quiet = KEEP_ALIVE_EVERY.saturating_sub(said.elapsed());
        if quiet.is_zero() {
            said = Instant::now();
            if let Err(ended) = give(listening, sender, Piece::Alive).await {
                return ended;
            }
            continue;
        }
        tokio::select! {
            () = api.node.until_changed(here, quiet) => {}
            () = sender.closed() => return None,
            () = stopped(listening.stopping.clone()) => return Some(Code::STREAM_ENDED),
        }
    }
}

/// Waits for room for a piece, unless the stream must end: why, or `None` when nobody listens any more.
async fn give(
    listening: &Listening,
    sender: &mpsc::Sender<Piece>,
    piece: Piece,
) -> Result<(), Option<Code>> {
    tokio::select! {
        given = timeout(SLOW_READER_TIME_MAX, sender.send(piece)) => match given {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(Code::READ_TOO_SLOWLY)),
        },
        () = stopped(listening.stopping.clone()) => Err(Some(Code::STREAM_ENDED)),
    }
}

async fn stopped(stopping: Option<Stopping>) {
    match stopping {
        // A sender that is gone says the same.
        Some(Stopping(mut told)) => drop(told.wait_for(|told| *told).await),
        None => std::future::pending().await,
    }
}

/// The body of a stream: gives what is in the buffer as it is asked for.
struct EventBody {
    events: mpsc::Receiver<Piece>,
}

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.events.poll_recv(context).map(|piece| {
            let bytes = match piece? {
                Piece::Event(Event(bytes)) => bytes,
                Piece::Alive => Bytes::from_static(b": \n\n"),
            };
            Some(Ok(Frame::data(bytes)))
        })
    }
}
