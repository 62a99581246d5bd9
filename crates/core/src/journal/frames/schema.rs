//! The feed's schema as words: what stands in each field of a frame's table, and in which column each word of it goes.
//!
//! Columns are numbered by this file alone: a column that is added goes to the end.

/// Columns of the header's words: they are told only where the form does not.
pub(super) const EPOCH: usize = 0;
pub(super) const SEQ: usize = 1;
pub(super) const PREV_SEQ: usize = 2;
pub(super) const VENUE_SEQ: usize = 3;
pub(super) const TS_EVENT: usize = 4;
/// From the venue's time to that of receipt.
pub(super) const DELAY: usize = 5;
/// The number of a form, of each item.
pub(super) const FORM: usize = 6;
/// Elements of a vector that has more than a form tells.
pub(super) const LEN: usize = 7;
/// Bytes as they are.
pub(super) const RAW: usize = 8;
/// Prices and quantities of changed levels, of tops, and of images; bids, then asks.
pub(super) const LEVEL_PRICE: usize = 9;
pub(super) const LEVEL_QTY: usize = 15;
pub(super) const TRADE_PRICE: usize = 21;
pub(super) const TRADE_QTY: usize = 22;
pub(super) const TRADE_ID: usize = 23;
pub(super) const TRADE_TS: usize = 24;
pub(super) const TRADE_TAIL: usize = 25;
pub(super) const ORDER_REF: usize = 26;
pub(super) const ORDER_ID: usize = 27;
pub(super) const ORDER_PRICE: usize = 28;
pub(super) const ORDER_QTY: usize = 29;
pub(super) const ORDER_PLACE: usize = 30;
pub(super) const ORDER_TAIL: usize = 31;
/// The first column of the words of other structs.
const OTHERS: usize = 32;
const INFO: usize = OTHERS;
const CHECK: usize = INFO + 8;
const STATUS: usize = CHECK + 4;
const GAP: usize = STATUS + 4;
const TICKER: usize = GAP + 8;
const TRADING: usize = TICKER + 18;
const VIEW: usize = TRADING + 2;
const SESSION: usize = VIEW + 3;
const SIGNAL: usize = SESSION + 2;
const VOLUME: usize = SIGNAL + 4;
const COST: usize = VOLUME + 5;
/// How many columns there are.
pub(super) const COLUMNS: usize = COST + 6;

/// What a field of the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A struct of so many words, each told by its difference from the same word of the frame before in its lane.
    Words { column: usize, words: usize },
    /// The same, each word in two halves.
    Halves { column: usize, words: usize },
    /// Two checksums, which nothing foretells, and two numbers.
    Check { column: usize },
    /// Levels of a side.
    Levels { side: usize },
    /// Trades.
    Trades,
    /// Orders.
    Orders,
    /// Elements of so many words, as [`Self::Words`].
    Rows { column: usize, words: usize },
    /// Elements of so many words as they are.
    RawRows { words: usize },
}

impl What {
    /// Bytes of the struct, or of one element.
    pub(super) const fn bytes(self) -> usize {
        8 * match self {
            Self::Words { words, .. } | Self::Halves { words, .. } => words,
            Self::Rows { words, .. } | Self::RawRows { words } => words,
            Self::Check { .. } | Self::Levels { .. } => 2,
            Self::Trades | Self::Orders => 5,
        }
    }

    /// Whether it is a vector.
    pub(super) const fn is_vector(self) -> bool {
        matches!(
            self,
            Self::Levels { .. } | Self::Trades | Self::Orders | Self::Rows { .. } | Self::RawRows { .. }
        )
    }
}

/// The fields behind the header, in the schema's order.
pub(super) const FIELDS: [What; 16] = [
    What::Halves { column: INFO, words: 4 },
    What::Check { column: CHECK },
    What::Words { column: STATUS, words: 4 },
    What::Levels { side: 0 },
    What::Levels { side: 1 },
    What::Trades,
    What::Words { column: GAP, words: 8 },
    What::Orders,
    What::RawRows { words: 8 },
    What::Words { column: TICKER, words: 18 },
    What::Words { column: TRADING, words: 2 },
    What::Words { column: VIEW, words: 3 },
    What::Rows { column: SIGNAL, words: 4 },
    What::Rows { column: VOLUME, words: 5 },
    What::Rows { column: COST, words: 6 },
    What::Words { column: SESSION, words: 2 },
];
