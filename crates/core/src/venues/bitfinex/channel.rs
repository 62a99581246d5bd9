//! What a connection has subscribed to, by the numbers that the venue has given out.

use core::mem::discriminant;

use crate::decode::{DecodeError, SymbolText};
use crate::types::Slot;
use crate::venues::Leave;

/// Most channels of a connection that are followed. The venue allows 25; it has allowed 250.
const CHANNELS_MAX: usize = 256;

/// What a channel brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Kind {
    /// A book of price levels.
    Levels {
        /// Most levels a side.
        len: u32,
    },
    /// A book of orders.
    Orders {
        /// Most orders a side.
        len: u32,
    },
    /// Trades of a pair.
    Trades,
    /// Statistics of a pair.
    Ticker,
    /// Statistics of a derivative.
    Derivative,
    /// Liquidations of all symbols.
    Liquidations,
    /// What is not read.
    Other,
}

impl Kind {
    /// Whether it may change a book.
    pub(super) const fn is_book(self) -> bool {
        matches!(self, Self::Levels { .. } | Self::Orders { .. })
    }

    /// Whether the other is a longer book of the same form.
    fn is_exceeded(self, other: Self) -> bool {
        match (self, other) {
            (Self::Levels { len }, Self::Levels { len: of_other })
            | (Self::Orders { len }, Self::Orders { len: of_other }) => of_other > len,
            _ => false,
        }
    }
}

/// One subscription.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Channel {
    pub(super) id: u64,
    pub(super) kind: Kind,
    /// The pair, as the wire names it.
    pub(super) symbol: SymbolText,
    /// Its place in the engine; none where it was not carried when the venue last spoke of it.
    pub(super) slot: Option<Slot>,
    /// Whether its first list of rows came.
    pub(super) has_begun: bool,
    /// Whether the book of its pair is this channel's.
    pub(super) is_followed: bool,
}

impl Channel {
    pub(super) const fn new(id: u64, kind: Kind, symbol: SymbolText, slot: Option<Slot>) -> Self {
        Self { id, kind, symbol, slot, has_begun: false, is_followed: false }
    }
}

/// All of a connection's.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Channels {
    /// Sorted by number.
    list: Vec<Channel>,
}

impl Channels {
    /// A subscription was made. One of the same number takes the place of the one before.
    pub(super) fn add(&mut self, channel: Channel) -> Result<(), DecodeError> {
        match self.place(channel.id) {
            Ok(at) => self.list[at] = channel,
            Err(_) if self.list.len() == CHANNELS_MAX => return Err(DecodeError::UnknownMessage),
            Err(at) => self.list.insert(at, channel),
        }
        Ok(())
    }

    /// A subscription has ended. The place of the book that went with it.
    pub(super) fn remove(&mut self, id: u64) -> Option<Slot> {
        let removed = self.list.remove(self.place(id).ok()?);
        removed.slot.filter(|_| removed.is_followed)
    }

    fn place(&self, id: u64) -> Result<usize, usize> {
        self.list.binary_search_by_key(&id, |channel| channel.id)
    }

    #[inline]
    pub(super) fn find(&mut self, id: u64) -> Option<&mut Channel> {
        let at = self.place(id).ok()?;
        self.list.get_mut(at)
    }

    pub(super) fn get(&self, id: u64) -> Option<&Channel> {
        self.list.get(self.place(id).ok()?)
    }

    /// A book begins on a channel. Whether it is the one that counts: of several of a pair and form the longest.
    pub(super) fn begin(&mut self, id: u64) -> bool {
        let Some(Channel { kind, symbol, .. }) = self.get(id).copied() else { return false };
        let is_longer =
            |other: &Channel| kind.is_exceeded(other.kind) && other.is_followed && other.symbol == symbol;
        let is_followed = !self.list.iter().any(is_longer);
        for channel in self.list.iter_mut().filter(|channel| channel.symbol == symbol) {
            if channel.id == id {
                (channel.has_begun, channel.is_followed) = (true, is_followed);
            } else if is_followed && discriminant(&channel.kind) == discriminant(&kind) {
                channel.is_followed = false;
            }
        }
        is_followed
    }

    /// Channels of an instrument, or of its book.
    pub(super) fn of(&self, slot: Slot, what: Leave) -> impl Iterator<Item = u64> {
        let is_left = move |channel: &Channel| match what {
            Leave::Book => channel.kind.is_book(),
            Leave::All => true,
        };
        let is_of = move |channel: &&Channel| channel.slot == Some(slot) && is_left(channel);
        self.list.iter().filter(is_of).map(|channel| channel.id)
    }

    /// Forgets that books have begun, and tells whose have.
    pub(super) fn lose(&mut self) -> impl Iterator<Item = Slot> {
        self.list.iter_mut().filter_map(|channel| {
            let is_followed = std::mem::take(&mut channel.is_followed);
            channel.slot.filter(|_| is_followed)
        })
    }
}
