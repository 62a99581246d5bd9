//! A server as far as a test needs one: it plays the protocol by hand, on a free port.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test uses its part; a failed unwrap is a failed test"
)]

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use depthwire_client::core::aggregate::checksums;
use depthwire_client::core::encode::{
    CheckBody, Flags, Header, ImageBody, Kind, StatusBody, Stream, write_check, write_image, write_levels,
    write_status,
};
use depthwire_client::core::types::{BookState, KnownTo, Level};
use depthwire_client::{Error, Event, Feed};
use serde_json::{Value, json};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::{Message, WebSocket, accept_hdr};

/// Number of the instrument.
pub const ID: u32 = 7;

pub struct Server(TcpListener);

impl Server {
    pub fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// Waits for the next client, and greets it.
    pub fn greet(&self) -> Peer {
        let mut peer = self.accept();
        peer.say(&json!({"op": "hello", "protocol": "depthwire.v1", "version": "0.1.0", "heartbeatMs": 5000,
            "limits": {"controlBytesMax": 4096, "controlPerSecond": 50, "subscriptionsMax": 256}}));
        peer
    }

    /// Waits for the next client, which is told nothing yet.
    #[allow(clippy::result_large_err, reason = "the shape of the library's callback")]
    pub fn accept(&self) -> Peer {
        let (tcp, _) = self.0.accept().unwrap();
        let mut authorization = None;
        let answer = |request: &Request, mut response: Response| {
            let protocol = request.headers().get("sec-websocket-protocol").unwrap().clone();
            assert_eq!((request.uri().path(), protocol.as_bytes()), ("/v1/feed", &b"depthwire.v1"[..]));
            authorization = request.headers().get("authorization").map(|it| it.to_str().unwrap().to_owned());
            response.headers_mut().insert("sec-websocket-protocol", protocol);
            Ok(response)
        };
        let socket = accept_hdr(tcp, answer).unwrap();
        Peer { socket, authorization }
    }

    /// Refuses the next handshake.
    #[allow(clippy::result_large_err, reason = "the shape of the library's callback")]
    pub fn refuse(&self, status: u16) {
        let (tcp, _) = self.0.accept().unwrap();
        let answer = |_: &Request, _: Response| {
            let mut response = ErrorResponse::new(None);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            Err(response)
        };
        assert!(accept_hdr(tcp, answer).is_err());
    }
}

pub struct Peer {
    socket: WebSocket<TcpStream>,
    pub authorization: Option<String>,
}

impl Peer {
    pub fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }

    pub fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    pub fn bytes(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).unwrap();
    }

    /// The next message with that `op`; pings are answered.
    pub fn hear(&mut self, op: &str) -> Value {
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let message: Value = serde_json::from_str(text.as_str()).unwrap();
            if message["op"] == op {
                return message;
            }
            assert_eq!(message["op"], "ping");
            self.say(&json!({"op": "pong", "id": message["id"], "ts": "1"}));
        }
    }

    /// Grants a subscription, with further fields.
    pub fn grant(&mut self, asked: &Value, instrument: &str, id: u32, more: &Value) {
        let mut granted = json!({"op": "subscribed", "id": asked["id"], "channel": asked["channel"], "instrument": instrument,
            "instrumentId": id, "stream": 1, "mode": "conflate", "state": "synced", "reason": "none", "epoch": "1", "seq": "1",
            "priceExponent": -2, "qtyExponent": -5, "tickSize": 1, "lotSize": 1, "qtyUnit": "base"});
        granted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.say(&granted);
    }

    /// Grants what is asked next.
    pub fn grant_next(&mut self, more: &Value) -> Value {
        let asked = self.hear("subscribe");
        let instrument = asked["instrument"].as_str().unwrap().to_owned();
        self.grant(&asked, &instrument, ID, more);
        asked
    }

    pub fn close(mut self, code: u16) {
        let frame = tungstenite::protocol::CloseFrame { code: code.into(), reason: "because".into() };
        self.socket.close(Some(frame)).unwrap();
        while self.socket.read().is_ok() {}
    }

    /// Waits until the client has left.
    pub fn left(mut self) {
        while self.socket.read().is_ok() {}
    }
}

pub fn header(kind: Kind, epoch: u64, prev_seq: u64, seq: u64) -> Header {
    let stream = if kind == Kind::Status { Stream::STATUS } else { Stream::BOOK };
    let (venue_seq, ts_event, ts_recv, ts_send, instrument, flags) = (seq, 0, 0, 0, ID, Flags::NONE);
    Header { epoch, seq, prev_seq, venue_seq, ts_event, ts_recv, ts_send, instrument, kind, stream, flags }
}

pub fn check_of(bids: &[Level], asks: &[Level]) -> CheckBody {
    let (top_crc, all_crc) = checksums(bids, asks);
    CheckBody { top_crc, all_crc, bid_count: bids.len() as u32, ask_count: asks.len() as u32 }
}

pub fn image(epoch: u64, seq: u64, bids: &[Level], asks: &[Level]) -> Vec<u8> {
    image_of(ID, epoch, seq, bids, asks)
}

pub fn image_of(instrument: u32, epoch: u64, seq: u64, bids: &[Level], asks: &[Level]) -> Vec<u8> {
    let (state, check) = (BookState::Synced.code(), check_of(bids, asks));
    let body = ImageBody {
        known_to: KnownTo::WHOLE,
        depth: 0,
        price_exponent: -2,
        qty_exponent: -5,
        state,
        reason: 0,
        check,
    };
    let mut bytes = Vec::new();
    let header = Header { instrument, ..header(Kind::Image, epoch, seq, seq) };
    write_image(&mut Vec::new(), &header, &body, None, bids, asks, |chunk| bytes.extend_from_slice(chunk));
    bytes
}

pub fn delta(epoch: u64, prev_seq: u64, seq: u64, bids: &[Level], asks: &[Level]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_levels(&mut bytes, &header(Kind::Delta, epoch, prev_seq, seq), bids, asks);
    bytes
}

pub fn check(epoch: u64, seq: u64, bids: &[Level], asks: &[Level]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_check(&mut bytes, &header(Kind::Check, epoch, seq, seq), &check_of(bids, asks));
    bytes
}

pub fn status(epoch: u64, seq: u64, state: BookState) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (state, reason) = (state.code(), state.reason_code());
    let body = StatusBody { expected: 0, received: 0, age_ns: 0, state, reason };
    write_status(&mut bytes, &header(Kind::Status, epoch, seq, seq), &body, None);
    bytes
}

/// Takes events until one passes; fails after ten seconds.
pub fn until(feed: &mut Feed, mut passes: impl FnMut(&Feed, &Event) -> bool) -> Event {
    let late = Instant::now() + Duration::from_secs(10);
    let mut seen = Vec::new();
    while Instant::now() < late {
        let Some(event) = feed.next(Duration::from_millis(50)).unwrap() else { continue };
        if passes(feed, &event) {
            return event;
        }
        seen.push(event);
    }
    unreachable!("no such event among {seen:?}");
}

/// Takes events until the feed is over.
pub fn end(feed: &mut Feed) -> Error {
    let late = Instant::now() + Duration::from_secs(10);
    while Instant::now() < late {
        if let Err(error) = feed.next(Duration::from_millis(50)) {
            return error;
        }
    }
    unreachable!("the feed does not end");
}
