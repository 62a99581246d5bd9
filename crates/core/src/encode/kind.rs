//! What frames are: kinds, streams and flags, as docs/protocol.md numbers them.

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Whole state of a stream; opens an epoch, or lets a reader join.
    Image = 1,
    /// Changed levels, absolute.
    Delta = 2,
    /// Checksums of the state at `seq`.
    Check = 3,
    /// A whole top of book.
    Bbo = 4,
    /// Trades.
    Trade = 5,
    /// State of the instrument's book.
    Status = 6,
    /// What happened to orders.
    Orders = 7,
    /// Whole statistics.
    Ticker = 8,
    /// Trades that closed a position by force.
    Liquidation = 9,
    /// Whether the instrument trades.
    Trading = 10,
    /// Numbers computed of it.
    Signals = 11,
    /// What traded at prices.
    Volumes = 12,
    /// What quantities cost.
    Costs = 13,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Image,
        Self::Delta,
        Self::Check,
        Self::Bbo,
        Self::Trade,
        Self::Status,
        Self::Orders,
        Self::Ticker,
        Self::Liquidation,
        Self::Trading,
        Self::Signals,
        Self::Volumes,
        Self::Costs,
    ];

    /// The kind's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Delta => "delta",
            Self::Check => "check",
            Self::Bbo => "bbo",
            Self::Trade => "trade",
            Self::Status => "status",
            Self::Orders => "orders",
            Self::Ticker => "ticker",
            Self::Liquidation => "liquidation",
            Self::Trading => "trading",
            Self::Signals => "signals",
            Self::Volumes => "volumes",
            Self::Costs => "costs",
        }
    }
}

/// Which of an instrument's streams a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Stream(pub u8);

impl Stream {
    /// The full book.
    pub const BOOK: Self = Self(1);
    /// Best bid and ask of the book.
    pub const BBO: Self = Self(2);
    /// Trades.
    pub const TRADES: Self = Self(3);
    /// State changes.
    pub const STATUS: Self = Self(4);
    /// Best bid and ask by the venue's own message.
    pub const VENUE_BBO: Self = Self(5);
    /// Changes of orders, in the order of their queues.
    pub const ORDERS: Self = Self(6);
    /// Statistics.
    pub const TICKER: Self = Self(7);
    /// Trades that closed a position by force.
    pub const LIQUIDATIONS: Self = Self(8);
    /// Whether the instrument trades.
    pub const TRADING: Self = Self(9);
    /// The first depth view; the rest follow.
    pub const DEPTH_FIRST: Self = Self(16);
    /// The first view of what traded at prices; the rest follow.
    pub const VOLUMES_FIRST: Self = Self(48);
    /// The first view of what quantities cost; the rest follow.
    pub const COSTS_FIRST: Self = Self(64);
    /// The first view of signals; the rest follow.
    pub const SIGNALS_FIRST: Self = Self(80);
    /// Numbers below this one are all that there are.
    pub const END: Self = Self(88);

    /// Whether it is a depth view.
    #[inline]
    #[must_use]
    pub const fn is_depth(self) -> bool {
        self.0 >= Self::DEPTH_FIRST.0 && self.0 < Self::VOLUMES_FIRST.0
    }

    /// Whether it is a view of volumes.
    #[inline]
    #[must_use]
    pub const fn is_volumes(self) -> bool {
        self.0 >= Self::VOLUMES_FIRST.0 && self.0 < Self::COSTS_FIRST.0
    }

    /// Whether it is a view of costs.
    #[inline]
    #[must_use]
    pub const fn is_costs(self) -> bool {
        self.0 >= Self::COSTS_FIRST.0 && self.0 < Self::SIGNALS_FIRST.0
    }

    /// Whether it is a view of signals.
    #[inline]
    #[must_use]
    pub const fn is_signals(self) -> bool {
        self.0 >= Self::SIGNALS_FIRST.0 && self.0 < Self::END.0
    }
}

/// Flag bits of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Flags(pub u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Several updates are merged.
    pub const CONFLATED: Self = Self(1);
    /// The book behind this frame is not synced.
    pub const STALE: Self = Self(2);
    /// Best bid above best ask.
    pub const CROSSED: Self = Self(8);
    /// From a recording.
    pub const REPLAY: Self = Self(16);
    /// End of the venue's event.
    pub const LAST: Self = Self(32);
    /// This top of book is the venue's own message.
    pub const VENUE: Self = Self(64);
    /// Levels lie beyond what the venue has made known: better or others may exist.
    pub const BEYOND_KNOWN: Self = Self(128);

    /// Of these bits those that doubt a book which is synced.
    #[must_use]
    pub const fn doubts(self) -> Self {
        Self(self.0 & (Self::CROSSED.0 | Self::BEYOND_KNOWN.0))
    }

    /// These bits without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These bits if the condition holds, else none.
    #[must_use]
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}
