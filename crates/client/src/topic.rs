//! What can be subscribed.

use std::fmt;

use serde::Serialize;

/// Where a top of book comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BboSource {
    /// The engine's book.
    Book,
    /// The venue's own message.
    Venue,
}

/// Whether the server may merge changes for a reader that is slow, or closes it instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It may.
    Conflate,
    /// It never does. Trades, liquidations, orders and status are always so.
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channel {
    Book,
    Depth,
    Bbo,
    Trades,
    Orders,
    Ticker,
    Liquidations,
    Trading,
    Volumes,
    Costs,
    Signals,
    Status,
}

impl Channel {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Depth => "depth",
            Self::Bbo => "bbo",
            Self::Trades => "trades",
            Self::Orders => "orders",
            Self::Ticker => "ticker",
            Self::Liquidations => "liquidations",
            Self::Trading => "trading",
            Self::Volumes => "volumes",
            Self::Costs => "costs",
            Self::Signals => "signals",
            Self::Status => "status",
        }
    }
}

/// What is asked of an instrument, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ask {
    pub channel: Channel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<BboSource>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bps: Vec<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpin_volume: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpin_buckets: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

impl Ask {
    /// Whether none of its frames may be left out.
    pub fn is_exact(&self) -> bool {
        matches!(self.channel, Channel::Trades | Channel::Liquidations | Channel::Orders)
            || self.mode == Some(Mode::Strict)
    }
}

/// One channel of one instrument, or in a [`Group`](crate::Group) of all that fit. A feed has each once, whatever its mode.
///
/// ```
/// use depthwire_client::Topic;
/// let topic = Topic::depth("sim:BTCUSDT", 20).every_ms(100).grouped_by("0.5");
/// assert_eq!(topic.to_string(), "depth sim:BTCUSDT, 20 levels, 100 ms, by 0.5");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    pub(crate) ask: Ask,
    pub(crate) instrument: String,
}

impl Topic {
    fn of(channel: Channel, instrument: &str) -> Self {
        let ask = Ask {
            channel,
            depth: None,
            interval_ms: None,
            grouping: None,
            source: None,
            quantities: Vec::new(),
            bps: Vec::new(),
            window_ms: None,
            vpin_volume: None,
            vpin_buckets: None,
            mode: None,
        };
        Self { ask, instrument: instrument.to_owned() }
    }

    /// What the server knows it by: its mode is no part of that.
    pub(crate) fn key(&self) -> Self {
        let mut key = self.clone();
        key.ask.mode = None;
        key
    }

    /// The full book.
    #[must_use]
    pub fn book(instrument: &str) -> Self {
        Self::of(Channel::Book, instrument)
    }

    /// The best levels of each side, at most once an interval (100 ms unless [`Self::every_ms`] says otherwise). The server grants
    /// the next of 1, 5, 10, 20, 50 and 100 levels.
    #[must_use]
    pub fn depth(instrument: &str, levels: u32) -> Self {
        let mut topic = Self::of(Channel::Depth, instrument);
        topic.ask.depth = Some(levels);
        topic
    }

    /// The best bid and ask.
    #[must_use]
    pub fn bbo(instrument: &str, source: BboSource) -> Self {
        let mut topic = Self::of(Channel::Bbo, instrument);
        topic.ask.source = Some(source);
        topic
    }

    /// Every trade.
    #[must_use]
    pub fn trades(instrument: &str) -> Self {
        Self::of(Channel::Trades, instrument)
    }

    /// Every order in the venue's queues, where the venue tells them.
    #[must_use]
    pub fn orders(instrument: &str) -> Self {
        Self::of(Channel::Orders, instrument)
    }

    /// Last, mark and index price, funding, open interest, greeks: what the venue tells of them.
    #[must_use]
    pub fn ticker(instrument: &str) -> Self {
        Self::of(Channel::Ticker, instrument)
    }

    /// Trades that closed a position by force.
    #[must_use]
    pub fn liquidations(instrument: &str) -> Self {
        Self::of(Channel::Liquidations, instrument)
    }

    /// Whether the instrument trades.
    #[must_use]
    pub fn trading(instrument: &str) -> Self {
        Self::of(Channel::Trading, instrument)
    }

    /// What has traded at prices, at most once an interval (100 ms unless [`Self::every_ms`] says otherwise), in price buckets where
    /// [`Self::grouped_by`] gives their width.
    #[must_use]
    pub fn volumes(instrument: &str) -> Self {
        Self::of(Channel::Volumes, instrument)
    }

    /// What taking quantities (decimals above 0) from each side costs, and what stands within so many basis points of the mid (1 to
    /// 10,000), at most once an interval. Of both together 1 to 16; of neither = 5, 10, 25 and 50 basis points.
    #[must_use]
    pub fn costs(instrument: &str, quantities: &[&str], bps: &[u16]) -> Self {
        let mut topic = Self::of(Channel::Costs, instrument);
        topic.ask.quantities = quantities.iter().map(|qty| (*qty).to_owned()).collect();
        topic.ask.bps = bps.to_vec();
        topic
    }

    /// Signals of a window (1,000 to 3,600,000 ms), at most once an interval. Without [`Self::vpin`] all but VPIN.
    #[must_use]
    pub fn signals(instrument: &str, window_ms: u32) -> Self {
        let mut topic = Self::of(Channel::Signals, instrument);
        topic.ask.window_ms = Some(window_ms);
        topic
    }

    /// Signals with VPIN over so many buckets (1 to 256) of a volume, a decimal above 0.
    #[must_use]
    pub fn vpin(mut self, volume: &str, buckets: u16) -> Self {
        self.ask.vpin_volume = Some(volume.to_owned());
        self.ask.vpin_buckets = Some(buckets);
        self
    }

    /// What the server says of its own book, and what was lost of it.
    #[must_use]
    pub fn status(instrument: &str) -> Self {
        Self::of(Channel::Status, instrument)
    }

    /// The least time between two changes of a depth, of volumes, costs or signals, ms; 0 = every change.
    #[must_use]
    pub fn every_ms(mut self, interval_ms: u32) -> Self {
        self.ask.interval_ms = Some(interval_ms);
        self
    }

    /// The step of prices, a decimal, to which the levels of a depth, or volumes, are added up.
    #[must_use]
    pub fn grouped_by(mut self, step: &str) -> Self {
        self.ask.grouping = Some(step.to_owned());
        self
    }

    /// What becomes of a reader that is slow.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.ask.mode = Some(mode);
        self
    }

    /// The instrument.
    #[must_use]
    pub fn instrument(&self) -> &str {
        &self.instrument
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ask { channel, depth, interval_ms, grouping, source, quantities, bps, mode, .. } = &self.ask;
        write!(f, "{} {}", channel.name(), self.instrument)?;
        if let Some(depth) = depth {
            write!(f, ", {depth} levels")?;
        }
        if let Some(interval_ms) = interval_ms {
            write!(f, ", {interval_ms} ms")?;
        }
        if let Some(grouping) = grouping {
            write!(f, ", by {grouping}")?;
        }
        if let Some(source) = source {
            write!(f, ", of the {}", if *source == BboSource::Book { "book" } else { "venue" })?;
        }
        for qty in quantities {
            write!(f, ", of {qty}")?;
        }
        for band in bps {
            write!(f, ", within {band} bps")?;
        }
        if let Some(window_ms) = &self.ask.window_ms {
            write!(f, ", over {window_ms} ms")?;
        }
        if let (Some(volume), Some(buckets)) = (&self.ask.vpin_volume, self.ask.vpin_buckets) {
            write!(f, ", VPIN of {buckets} × {volume}")?;
        }
        match mode {
            Some(Mode::Strict) => write!(f, ", strict"),
            _ => Ok(()),
        }
    }
}
