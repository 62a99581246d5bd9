//! What a feed tells.

use std::time::Duration;

use depthwire_core::replica::TapeGap;
use depthwire_core::types::Decimal;

use crate::Error;
use crate::control::Brought;
use crate::groups::GroupId;
use crate::roster::SubscriptionId;

/// What happened. Those of one message come in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server has greeted: what was subscribed is asked for, each from where it stands.
    Connected {
        /// The server's version.
        version: String,
    },
    /// The connection was lost or could not be opened; another attempt follows after a pause.
    Disconnected {
        /// Why.
        error: Error,
        /// How long until then.
        pause: Duration,
    },
    /// The server has granted a subscription; [`Feed::granted`](crate::Feed::granted) says what.
    Granted(SubscriptionId),
    /// What a subscription holds, or its state, is another. Told once for all changes of a message.
    Changed(SubscriptionId),
    /// A trade or a liquidation.
    Trade(SubscriptionId, Trade),
    /// Trades or liquidations are missing before the next one.
    Missing(SubscriptionId, TapeGap),
    /// Frames are missing: stale until they, or an image, are there.
    Gap(SubscriptionId),
    /// The checksums of a book differ, or a change does not fit: stale until an image is there.
    CheckFailed(SubscriptionId),
    /// The server brings a subscription that was away, or slow, to the present; what lies between is seen one by one only if `by` is
    /// `Range`.
    Brought {
        /// Which.
        id: SubscriptionId,
        /// By what.
        by: Brought,
        /// From this sequence.
        from: u64,
        /// To this one.
        to: u64,
    },
    /// The server holds back changes until this reader, which is slow, has taken what waits for it.
    Behind(SubscriptionId),
    /// A subscription is over: the server refused or removed it, or it cannot be held.
    Ended(SubscriptionId, Error),
    /// How many instruments the server has found for names and patterns of a group; after each connect.
    Matched {
        /// Of which group.
        group: GroupId,
        /// How many.
        instruments: usize,
    },
    /// An instrument fits a group: at first, or because it came later. Its subscription has been granted.
    Added {
        /// Which group.
        group: GroupId,
        /// Its subscription; [`Feed::topic`](crate::Feed::topic) names the instrument.
        id: SubscriptionId,
    },
    /// A group has a subscription no longer.
    Removed {
        /// Which group.
        group: GroupId,
        /// The subscription that it had.
        id: SubscriptionId,
        /// Of which instrument that was.
        instrument: String,
        /// The server's word, the code of its refusal, or `closed`.
        reason: String,
    },
    /// The server refused some of what a group asks for.
    GroupRefused(GroupId, Error),
    /// A group is over: the server refused all of it.
    GroupEnded(GroupId, Error),
    /// The server refused something else.
    Refused(Error),
    /// The server is about to stop.
    Shutdown {
        /// Why.
        reason: String,
    },
}

/// A trade, or a liquidation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// As it stands in the frame: mantissas, at the exponents beside it.
    pub trade: depthwire_core::types::Trade,
    /// Powers of ten of price and quantity.
    pub exponents: (i8, i8),
    /// The venue's text, where it names trades by one.
    pub name: Option<String>,
    /// Sequence of the frame that brought it.
    pub seq: u64,
}

impl Trade {
    /// The price as the shortest exact decimal.
    #[must_use]
    pub const fn price_text(&self) -> Decimal {
        Decimal { mantissa: self.trade.price.0, exponent: self.exponents.0 }
    }

    /// The quantity likewise.
    #[must_use]
    pub const fn qty_text(&self) -> Decimal {
        Decimal { mantissa: self.trade.qty.0, exponent: self.exponents.1 }
    }
}

/// Counts since the feed was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages of the server.
    pub messages: u64,
    /// Frames in them.
    pub frames: u64,
    /// Gaps seen.
    pub gaps: u64,
    /// Checksums compared.
    pub checks: u64,
    /// And that differed, changes that did not fit included.
    pub check_failures: u64,
    /// Images asked for.
    pub resyncs: u64,
    /// Attempts after the first.
    pub reconnects: u64,
}
