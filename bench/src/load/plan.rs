//! What a run is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use serde::Deserialize;

use super::line::trust;

/// One run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Where subscribers connect.
    pub feed: SocketAddr,
    /// Path of the WebSocket.
    #[serde(default = "feed_path")]
    pub path: String,
    /// Subprotocol that a handshake offers.
    #[serde(default = "subprotocol")]
    pub protocol: String,
    /// PEM file of the server's certificate: subscribers speak TLS. Absent: plain.
    pub certificate: Option<String>,
    /// File of tokens, one a line: each handshake shows the next one. Absent: none.
    pub tokens: Option<String>,
    /// Clients that connect, are greeted and leave, in place of everything else; see [`super::handshakes`].
    #[serde(default)]
    pub handshakes: usize,
    /// Where records go: a TCP connection of length-prefixed records. Absent: the server sends by itself.
    pub input: Option<SocketAddr>,
    /// File of records, each behind its size as a little-endian u32; told in a loop.
    pub records: Option<String>,
    /// Subscribers.
    pub clients: usize,
    /// Text messages that each subscriber sends when it is connected.
    #[serde(default)]
    pub subscribe: Vec<String>,
    /// Records a second; 0 = none.
    pub rate: f64,
    /// Time before the counted one.
    pub warm_seconds: f64,
    /// Counted time.
    pub seconds: f64,
    /// Process whose CPU time and memory are counted.
    pub server_pid: Option<u32>,
    /// Connections that are being made at a time.
    #[serde(default = "joining_max")]
    pub joining_max: usize,
    /// Images that each subscriber waits for before it is in.
    #[serde(default)]
    pub images: u64,
    /// Further subscribers that never read.
    #[serde(default)]
    pub stalled: usize,
    /// Further clients that send valid messages as fast as they are taken, from the beginning of the counted time on.
    #[serde(default)]
    pub flooders: usize,
}

fn feed_path() -> String {
    "/v1/feed".to_owned()
}

fn subprotocol() -> String {
    "depthwire.v1".to_owned()
}

const fn joining_max() -> usize {
    64
}

impl Plan {
    /// Reads the only argument.
    pub fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let text = args.next().ok_or("expected one argument: the plan as JSON")?;
        let plan: Self = serde_json::from_str(&text).map_err(|error| format!("the plan: {error}"))?;
        if plan.clients == 0 || plan.clients > 60_000 {
            return Err("the plan: clients must be 1 to 60000".to_owned());
        }
        if !(plan.rate >= 0.0 && plan.rate <= 5e6 && plan.seconds > 0.0 && plan.seconds <= 3_600.0) {
            return Err("the plan: rate must be 0 to 5000000 and seconds above 0, at most 3600".to_owned());
        }
        if plan.rate > 0.0 && (plan.input.is_none() || plan.records.is_none()) {
            return Err("the plan: a rate needs input and records".to_owned());
        }
        Ok(plan)
    }

    /// Reads the files of what handshakes show and ask for.
    pub fn access(&self) -> Result<Access, String> {
        let tokens = match &self.tokens {
            Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
            None => String::new(),
        };
        Ok(Access {
            tls: self.certificate.as_deref().map(trust).transpose()?,
            tokens: tokens.lines().map(str::to_owned).collect(),
        })
    }

    pub fn warm(&self) -> Duration {
        Duration::from_secs_f64(self.warm_seconds.max(0.0))
    }

    pub fn counted(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Records of the warm and the counted time together.
    pub fn records_planned(&self) -> usize {
        ((self.warm_seconds.max(0.0) + self.seconds) * self.rate) as usize
    }
}

/// What handshakes show to the server, and ask of it.
pub struct Access {
    pub tls: Option<Arc<ClientConfig>>,
    tokens: Vec<String>,
}

impl Access {
    /// The header with the token of that number, again from the first one behind the last; empty without tokens.
    pub fn authorization(&self, number: usize) -> String {
        let token = self.tokens.get(number % self.tokens.len().max(1));
        token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default()
    }
}
