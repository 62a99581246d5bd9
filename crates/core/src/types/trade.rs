//! Trades, as far as venues tell of them.

use super::{OrderId, Price, Qty, TimeNs};

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The venue's name of it.
    pub id: TradeId,
    /// Price paid; of [`Self::resting`] where that is given and this is 0.
    pub price: Price,
    /// Quantity traded.
    pub qty: Qty,
    /// Who took.
    pub aggressor: Aggressor,
    /// The venue's trade time.
    pub ts_event: TimeNs,
    /// The resting order that was hit, where the venue names it instead of saying who took.
    pub resting: Option<OrderId>,
}

/// A trade's identity, as far as the venue gives it one. Two of one text are equal wherever it stands.
#[derive(Clone, Copy, Debug, Default)]
pub enum TradeId {
    /// The venue names no trades.
    #[default]
    None,
    /// The venue's number.
    Number(u64),
    /// The venue's text.
    Text {
        /// Its 64-bit FNV-1a hash, the number on the wire.
        hash: u64,
        /// Its number in the arena, [`Events::trade_text`](super::Events::trade_text); `u32::MAX` where it stands in none.
        at: u32,
    },
}

impl PartialEq for TradeId {
    fn eq(&self, other: &Self) -> bool {
        (self.kind(), self.value()) == (other.kind(), other.value())
    }
}

impl Eq for TradeId {}

impl TradeId {
    /// The words for [`Self::kind`], by number.
    pub const KINDS: [&str; 3] = ["none", "number", "hash"];

    /// That of a text which stands in no arena.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Self {
        Self::Text { hash: super::fnv1a_64(text), at: u32::MAX }
    }

    /// What the number on the wire is: 0 none, 1 the venue's, 2 a hash of its text.
    #[must_use]
    pub const fn kind(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Number(_) => 1,
            Self::Text { .. } => 2,
        }
    }

    /// The number on the wire; 0 where there is none.
    #[must_use]
    pub const fn value(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Number(value) | Self::Text { hash: value, .. } => value,
        }
    }
}

/// The side that took liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Aggressor {
    /// The venue does not say.
    Unknown = 0,
    /// The taker bought.
    Buy = 1,
    /// The taker sold.
    Sell = 2,
}

impl Aggressor {
    /// Every one, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Buy, Self::Sell];

    /// Its word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}
