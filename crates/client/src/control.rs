//! Control messages, both ways.

use depthwire_core::replica::ReplicaState;
use depthwire_core::types::{BookState, Place, StaleReason};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::topic::Ask;

/// What a message of the client asks for, of one instrument or of several.
#[derive(Serialize)]
pub(crate) struct Request<'a> {
    pub op: &'static str,
    pub id: u64,
    #[serde(flatten)]
    pub ask: &'a Ask,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume<'a>>,
}

/// Where its readers stand.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Resume<'a> {
    One(ResumeFrom<'a>),
    Several(Vec<ResumeFrom<'a>>),
}

#[derive(Serialize)]
pub(crate) struct ResumeFrom<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<&'a str>,
    pub epoch: String,
    pub seq: String,
    pub by: &'static str,
}

impl<'a> ResumeFrom<'a> {
    pub fn new(instrument: Option<&'a str>, place: Place, by: &'static str) -> Self {
        Self { instrument, epoch: place.epoch.to_string(), seq: place.seq.to_string(), by }
    }
}

/// How the server brings a reader that missed something to the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Brought {
    /// It had missed nothing.
    Nothing,
    /// By every frame that it missed.
    Range,
    /// By the net change.
    Net,
    /// By an image: what it had was replaced. A word of the future is taken so, too: the rules for a reader then decide alone.
    #[serde(other)]
    Image,
}

/// From where to where a reader is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Resumed {
    pub by: Brought,
    #[serde(deserialize_with = "digits")]
    pub from: u64,
    #[serde(deserialize_with = "digits")]
    pub to: u64,
}

/// What the server granted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    pub(crate) id: u64,
    /// The instrument, as the server names it.
    pub instrument: String,
    /// Its number in frames.
    pub instrument_id: u32,
    /// Number of the stream.
    pub stream: u8,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(deserialize_with = "digits")]
    pub(crate) epoch: u64,
    #[serde(deserialize_with = "digits")]
    pub(crate) seq: u64,
    /// Power of ten of prices, until an image says another.
    pub price_exponent: i8,
    /// Power of ten of quantities likewise.
    pub qty_exponent: i8,
    /// How many levels a depth has a side.
    pub depth: Option<u32>,
    /// The least time between two changes of a depth, of volumes, costs or signals, ms.
    pub interval_ms: Option<u32>,
    /// The step of its prices, a decimal; none = single prices.
    pub grouping: Option<String>,
    /// `base`, `quote` or `contracts`.
    pub qty_unit: Option<String>,
    /// Quantities that costs are of, decimals.
    #[serde(default)]
    pub quantities: Vec<String>,
    /// Basis points that costs are of.
    #[serde(default)]
    pub bps: Vec<u16>,
    /// The window of signals, ms.
    pub window_ms: Option<u32>,
    /// Volume of a bucket of their VPIN, a decimal; none = it is not told.
    pub vpin_volume: Option<String>,
    /// Buckets of it.
    pub vpin_buckets: Option<u16>,
    pub(crate) resume: Option<Resumed>,
}

impl Granted {
    /// The state of the server's own book.
    pub(crate) fn server_state(&self) -> ReplicaState {
        let reason = StaleReason::ALL.into_iter().find(|reason| reason.name() == self.reason);
        let states = [BookState::Syncing, BookState::Synced];
        let state = states.into_iter().find(|state| state.name() == self.state).map_or(3, BookState::code);
        ReplicaState::of_codes(state, reason.map_or(u8::MAX, |reason| reason as u8))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct StreamName {
    pub channel: String,
    pub instrument: String,
    pub stream: Option<u8>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Limits {
    pub control_bytes_max: Option<usize>,
    pub control_per_second: Option<u32>,
}

/// What the server says.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(crate) enum Message {
    Hello {
        #[serde(default)]
        version: String,
        #[serde(default)]
        heartbeat_ms: u64,
        #[serde(default)]
        limits: Limits,
    },
    Subscribed(Box<Granted>),
    Matched {
        id: u64,
        #[serde(default)]
        instruments: usize,
    },
    Removed {
        #[serde(flatten)]
        stream: StreamName,
        #[serde(default)]
        reason: String,
    },
    Slow {
        state: String,
        #[serde(default)]
        streams: Vec<StreamName>,
        channel: Option<String>,
        instrument: Option<String>,
        stream: Option<u8>,
        #[serde(flatten)]
        resumed: Option<Resumed>,
    },
    Error {
        id: Option<u64>,
        instrument: Option<String>,
        code: String,
        #[serde(default)]
        what: String,
        #[serde(default)]
        r#where: String,
        #[serde(default)]
        expected: String,
        #[serde(default)]
        got: String,
        #[serde(default)]
        fix: String,
    },
    Shutdown {
        #[serde(default)]
        reason: String,
        reconnect_ms: Option<u64>,
    },
    #[serde(other)]
    Other,
}

/// Reads a message of the server.
pub(crate) fn parse(text: &str, url: &str) -> Result<Message, Error> {
    serde_json::from_str(text).map_err(|error| {
        let got = format!("{error}: {}", text.chars().take(60).collect::<String>());
        let what = "a control message of the server cannot be read";
        let fix = "check that the address is that of a depthwire.v1 feed";
        Error::new("feed.bad_control", what, url, "a message of the protocol", &got, fix)
    })
}

/// 64-bit numbers are texts in control messages.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Topic;

    #[test]
    fn requests_are_those_of_the_protocol() {
        let topic = Topic::depth("sim:BTCUSDT", 20).every_ms(100).grouped_by("0.5");
        let place = Place { epoch: u64::MAX, seq: 7 };
        let one = Request {
            op: "subscribe",
            id: 2,
            ask: &topic.ask,
            instrument: Some("sim:BTCUSDT"),
            instruments: vec![],
            resume: Some(Resume::One(ResumeFrom::new(None, place, "net"))),
        };
        assert_eq!(
            serde_json::to_string(&one).unwrap(),
            r#"{"op":"subscribe","id":2,"channel":"depth","depth":20,"intervalMs":100,"grouping":"0.5","instrument":"sim:BTCUSDT","resume":{"epoch":"18446744073709551615","seq":"7","by":"net"}}"#
        );
        let topic = Topic::trades("a:B");
        let several = Request {
            op: "subscribe",
            id: 3,
            ask: &topic.ask,
            instrument: None,
            instruments: vec!["a:B", "a:C"],
            resume: Some(Resume::Several(vec![ResumeFrom::new(Some("a:C"), place, "range")])),
        };
        assert_eq!(
            serde_json::to_string(&several).unwrap(),
            r#"{"op":"subscribe","id":3,"channel":"trades","instruments":["a:B","a:C"],"resume":[{"instrument":"a:C","epoch":"18446744073709551615","seq":"7","by":"range"}]}"#
        );
    }

    #[test]
    fn answers_of_the_protocol_are_read() {
        let text = r#"{"op":"subscribed","id":4,"channel":"book","instrument":"sim:BTCUSDT","instrumentId":305419896,"stream":1,"mode":"conflate","state":"stale","reason":"silence","epoch":"7520384216498177","seq":"418","priceExponent":-2,"qtyExponent":-5,"tickSize":1,"lotSize":1,"qtyUnit":"base","resume":{"by":"later word","from":"418","to":"502"}}"#;
        let Ok(Message::Subscribed(granted)) = parse(text, "") else { panic!("read") };
        assert_eq!((granted.instrument_id, granted.stream, granted.seq), (305_419_896, 1, 418));
        assert_eq!(granted.server_state().reason_name(), "silence");
        assert_eq!(granted.resume, Some(Resumed { by: Brought::Image, from: 418, to: 502 }));
        let slow = r#"{"op":"slow","state":"behind","streams":[{"channel":"book","instrument":"a:B","stream":1,"epoch":"0","seq":"0"}]}"#;
        let Ok(Message::Slow { streams, resumed: None, .. }) = parse(slow, "") else { panic!("read") };
        assert_eq!(streams[0].stream, Some(1));
        let back = r#"{"op":"slow","state":"rejoined","channel":"book","instrument":"a:B","stream":1,"from":"418","to":"977","by":"net"}"#;
        let Ok(Message::Slow { resumed: Some(resumed), .. }) = parse(back, "") else { panic!("read") };
        assert_eq!((resumed.by, resumed.to), (Brought::Net, 977));
        assert!(matches!(parse(r#"{"op":"of the future","x":[]}"#, ""), Ok(Message::Other)));
        for bad in ["", "[]", "{}", r#"{"op":"subscribed"}"#, r#"{"op":"subscribed","id":-1}"#, "\u{0}"] {
            assert_eq!(parse(bad, "").err().unwrap().code, "feed.bad_control");
        }
    }
}
