//! The layouts of TotalView-ITCH 5.0: one view per message type over exactly its bytes.
//!
//! Every message begins with its type (1 byte), the stock locate (2), the venue's tracking number (2) and the time in
//! nanoseconds since midnight, New York (6). The fields that follow are listed below with their offsets; together
//! they cover the message to its last byte, which the compiler checks. All numbers are unsigned and big-endian,
//! prices are in 10⁻⁴ dollars ([`super::PRICE_EXPONENT`]), texts are ASCII and padded with spaces on the right
//! ([`super::text`]). Fields of one letter are handed out as they came: the venue adds letters from time to time
//! (`M` among the market categories, `Z` among the IPO flags), and a message must not be lost over one.
//!
//! Source: the TotalView-ITCH 5.0 specification, in the state of February 2026; the lengths of A C D E F H I J L N P Q S U X Y
//! are confirmed by captures of the live feed.

use crate::types::Side;

/// `N` bytes of a message from byte `AT`. Bounds are checked at compile time.
#[inline(always)]
const fn bytes_at<const AT: usize, const N: usize, const LEN: usize>(message: &[u8; LEN]) -> &[u8; N] {
    const { assert!(AT + N <= LEN) };
    match message.split_at(AT).1.first_chunk() {
        Some(bytes) => bytes,
        None => &[0; N],
    }
}

/// How one kind of field is typed, how many bytes it has, and how it is read.
macro_rules! field {
    (type u8) => { u8 };
    (type u16) => { u16 };
    (type u32) => { u32 };
    (type u48) => { u64 };
    (type u64) => { u64 };
    (type side) => { Side };
    (type yes) => { bool };
    (type $($text:tt)+) => { &'a $($text)+ };
    (len u8) => { 1 };
    (len u16) => { 2 };
    (len u32) => { 4 };
    (len u48) => { 6 };
    (len u64) => { 8 };
    (len side) => { 1 };
    (len yes) => { 1 };
    (len [u8; $len:literal]) => { $len };
    (read u8, $at:literal, $bytes:expr) => { bytes_at::<$at, 1, _>($bytes)[0] };
    (read u16, $at:literal, $bytes:expr) => { u16::from_be_bytes(*bytes_at::<$at, 2, _>($bytes)) };
    (read u32, $at:literal, $bytes:expr) => { u32::from_be_bytes(*bytes_at::<$at, 4, _>($bytes)) };
    // One load of the eight bytes that end with the field: cheaper than two loads of its own six.
    (read u48, $at:literal, $bytes:expr) => {
        u64::from_be_bytes(*bytes_at::<{ $at - 2 }, 8, _>($bytes)) & 0xFFFF_FFFF_FFFF
    };
    (read u64, $at:literal, $bytes:expr) => { u64::from_be_bytes(*bytes_at::<$at, 8, _>($bytes)) };
    (read side, $at:literal, $bytes:expr) => {
        if bytes_at::<$at, 1, _>($bytes)[0] == b'B' { Side::Bid } else { Side::Ask }
    };
    (read yes, $at:literal, $bytes:expr) => { bytes_at::<$at, 1, _>($bytes)[0] == b'Y' };
    (read [u8; $len:literal], $at:literal, $bytes:expr) => { bytes_at::<$at, $len, _>($bytes) };
}

/// Declares the views, [`Message`] over them, and what follows from the list.
macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $name:ident = $letter:literal, $len:literal {
            $( $(#[$field_doc:meta])* $field:ident: $kind:tt @ $at:literal, )*
        }
    )+) => {
        /// One message: a view over its bytes, of which only those that are asked for are read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Message<'a> {
            $( $(#[$doc])* $name($name<'a>), )+
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[repr(transparent)]
            pub struct $name<'a>(pub(super) &'a [u8; $len]);

            // The fields cover the message: no byte is read twice and none is left out.
            const _: () = {
                let mut at = 11;
                $( assert!(at == $at); at += field!(len $kind); )*
                assert!(at == $len);
            };

            impl<'a> $name<'a> {
                /// Bytes of the message.
                pub const LEN: usize = $len;
                /// Type byte of the message.
                pub const TYPE: u8 = $letter;

                /// The message as it came, type byte first.
                #[inline]
                #[must_use]
                pub const fn as_bytes(&self) -> &'a [u8; $len] {
                    self.0
                }

                /// The day's number of the security, 0 where the message concerns none.
                #[inline]
                #[must_use]
                pub const fn stock_locate(&self) -> u16 {
                    field!(read u16, 1, self.0)
                }

                /// The venue's own tracking number.
                #[inline]
                #[must_use]
                pub const fn tracking_number(&self) -> u16 {
                    field!(read u16, 3, self.0)
                }

                /// Nanoseconds since midnight, New York.
                #[inline]
                #[must_use]
                pub const fn timestamp_ns(&self) -> u64 {
                    field!(read u48, 5, self.0)
                }

                $(
                    $(#[$field_doc])*
                    #[inline]
                    #[must_use]
                    pub const fn $field(&self) -> field!(type $kind) {
                        field!(read $kind, $at, self.0)
                    }
                )*
            }
        )+

        /// Bytes of a message of this type, type byte included; `None` for a type that TotalView-ITCH 5.0 has not.
        #[inline]
        #[must_use]
        pub const fn message_len(message_type: u8) -> Option<usize> {
            match message_type {
                $( $letter => Some($len), )+
                _ => None,
            }
        }

        impl<'a> Message<'a> {
            /// The message as it came, type byte first.
            #[inline]
            #[must_use]
            pub const fn as_bytes(&self) -> &'a [u8] {
                match self {
                    $( Self::$name(message) => message.0, )+
                }
            }

            /// The type byte.
            #[inline]
            #[must_use]
            pub const fn message_type(&self) -> u8 {
                match self {
                    $( Self::$name(_) => $letter, )+
                }
            }

            /// The day's number of the security, 0 where the message concerns none.
            #[inline]
            #[must_use]
            pub const fn stock_locate(&self) -> u16 {
                match self {
                    $( Self::$name(message) => message.stock_locate(), )+
                }
            }

            /// The venue's own tracking number.
            #[inline]
            #[must_use]
            pub const fn tracking_number(&self) -> u16 {
                match self {
                    $( Self::$name(message) => message.tracking_number(), )+
                }
            }

            /// Nanoseconds since midnight, New York.
            #[inline]
            #[must_use]
            pub const fn timestamp_ns(&self) -> u64 {
                match self {
                    $( Self::$name(message) => message.timestamp_ns(), )+
                }
            }
        }
    };
}

messages! {
    /// `S`: a mark in the day of the feed or of the market.
    SystemEvent = b'S', 12 {
        /// `O` start of messages, `S` start of system hours, `Q` market opens, `M` market closes, `E` end of system
        /// hours, `C` end of messages.
        event: u8 @ 11,
    }
    /// `R`: what a security is; comes for each before the day begins.
    StockDirectory = b'R', 39 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// `Q` `G` `S` the venue's own tiers, `N` NYSE, `A` NYSE American, `P` NYSE Arca, `M` NYSE Texas, `Z` Bats,
        /// `V` IEX, space unknown.
        market_category: u8 @ 19,
        /// `N` normal, `D` deficient, `E` delinquent, `Q` bankrupt, `S` suspended, `G` `H` `J` `K` two or three of
        /// these, `C` creations and redemptions suspended, space unknown.
        financial_status: u8 @ 20,
        /// Shares of a round lot.
        round_lot_size: u32 @ 21,
        /// `Y` when only round lots are taken.
        round_lots_only: u8 @ 25,
        /// Security class, `C` common stock, `A` depositary share, `Q` other, and so on.
        issue_classification: u8 @ 26,
        /// Sub-type of the class; `Z ` for none.
        issue_sub_type: [u8; 2] @ 27,
        /// `P` live, `T` test.
        authenticity: u8 @ 29,
        /// `Y` restricted, `N` not, space unknown.
        short_sale_threshold: u8 @ 30,
        /// `Y` set up for an IPO, `N` not, `Z` new listing without IPO, space unknown.
        ipo_flag: u8 @ 31,
        /// Price band tier `1` or `2`, space for none.
        luld_reference_price_tier: u8 @ 32,
        /// `Y` exchange-traded product, `N` not, space unknown.
        etp_flag: u8 @ 33,
        /// How often the product moves its index, rounded; 0 where it is none.
        etp_leverage_factor: u32 @ 34,
        /// `Y` when the product moves against its index.
        inverse_indicator: u8 @ 38,
    }
    /// `H`: a security is halted, paused, quoted or traded.
    TradingAction = b'H', 25 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// `H` halted, `P` paused, `Q` quotation only, `T` trading.
        trading_state: u8 @ 19,
        /// Reserved.
        reserved: u8 @ 20,
        /// The venue's reason code.
        reason: [u8; 4] @ 21,
    }
    /// `Y`: short sale price test of a security.
    RegShoRestriction = b'Y', 20 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// `0` none, `1` in effect since today, `2` remains in effect.
        action: u8 @ 19,
    }
    /// `L`: a market maker's standing in a security.
    ParticipantPosition = b'L', 26 {
        /// The participant.
        mpid: [u8; 4] @ 11,
        /// Symbol.
        stock: [u8; 8] @ 15,
        /// `Y` when it is a primary market maker.
        primary_market_maker: u8 @ 23,
        /// `N` normal, `P` passive, `S` syndicate, `R` pre-syndicate, `L` penalty.
        market_maker_mode: u8 @ 24,
        /// `A` active, `E` excused, `W` withdrawn, `S` suspended, `D` deleted.
        participant_state: u8 @ 25,
    }
    /// `V`: the index levels of the market-wide circuit breaker for this day, each in 10⁻⁸
    /// ([`super::MWCB_PRICE_EXPONENT`]).
    MwcbDeclineLevel = b'V', 35 {
        /// First level.
        level_1: u64 @ 11,
        /// Second level.
        level_2: u64 @ 19,
        /// Third level.
        level_3: u64 @ 27,
    }
    /// `W`: a level of the market-wide circuit breaker is breached.
    MwcbStatus = b'W', 12 {
        /// `1`, `2` or `3`.
        breached_level: u8 @ 11,
    }
    /// `K`: when the quotation of an IPO begins.
    IpoQuotingPeriod = b'K', 28 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// Seconds since midnight, New York.
        release_time_s: u32 @ 19,
        /// `A` anticipated, `C` cancelled or postponed.
        release_qualifier: u8 @ 23,
        /// The IPO's price.
        price: u32 @ 24,
    }
    /// `J`: within what a paused security may reopen.
    LuldAuctionCollar = b'J', 35 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// Price from which the collar is set.
        reference_price: u32 @ 19,
        /// Upper end.
        upper_price: u32 @ 23,
        /// Lower end.
        lower_price: u32 @ 27,
        /// How often the auction was extended.
        extension: u32 @ 31,
    }
    /// `h`: one market cannot trade a security for reasons of its own.
    OperationalHalt = b'h', 21 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// `Q` the venue itself, `B` its Texas exchange (formerly BX), `X` PSX.
        market: u8 @ 19,
        /// `H` halted, `T` trading again.
        action: u8 @ 20,
    }
    /// `A`: an order joins the book.
    AddOrder = b'A', 36 {
        /// Reference number of the order, unique in its day.
        reference: u64 @ 11,
        /// Its side.
        side: side @ 19,
        /// Its displayed shares.
        shares: u32 @ 20,
        /// Symbol.
        stock: [u8; 8] @ 24,
        /// Its displayed price.
        price: u32 @ 32,
    }
    /// `F`: an order joins the book, and whose it is.
    AddOrderAttributed = b'F', 40 {
        /// Reference number of the order, unique in its day.
        reference: u64 @ 11,
        /// Its side.
        side: side @ 19,
        /// Its displayed shares.
        shares: u32 @ 20,
        /// Symbol.
        stock: [u8; 8] @ 24,
        /// Its displayed price.
        price: u32 @ 32,
        /// The participant.
        attribution: [u8; 4] @ 36,
    }
    /// `E`: an order trades at its displayed price.
    OrderExecuted = b'E', 31 {
        /// Reference number of the order.
        reference: u64 @ 11,
        /// Shares that traded.
        shares: u32 @ 19,
        /// Number of the match, unique in its day.
        match_number: u64 @ 23,
    }
    /// `C`: an order trades at another price than its displayed one.
    OrderExecutedWithPrice = b'C', 36 {
        /// Reference number of the order.
        reference: u64 @ 11,
        /// Shares that traded.
        shares: u32 @ 19,
        /// Number of the match, unique in its day.
        match_number: u64 @ 23,
        /// Whether the execution counts as volume. One that does not is part of a cross, which `Q` reports.
        printable: yes @ 31,
        /// Price of the execution.
        price: u32 @ 32,
    }
    /// `X`: an order loses shares and keeps its place.
    OrderCancel = b'X', 23 {
        /// Reference number of the order.
        reference: u64 @ 11,
        /// Shares that it loses.
        shares: u32 @ 19,
    }
    /// `D`: an order leaves.
    OrderDelete = b'D', 19 {
        /// Reference number of the order.
        reference: u64 @ 11,
    }
    /// `U`: an order leaves and another one takes its side and symbol, at the end of its price's queue.
    OrderReplace = b'U', 35 {
        /// Reference number of the order that leaves.
        original_reference: u64 @ 11,
        /// Reference number of the order that comes.
        new_reference: u64 @ 19,
        /// Its displayed shares.
        shares: u32 @ 27,
        /// Its displayed price.
        price: u32 @ 31,
    }
    /// `P`: an order that was not displayed trades. The book does not change.
    NonCrossTrade = b'P', 44 {
        /// Reference number; the venue sends 0.
        reference: u64 @ 11,
        /// Side of the resting order; the venue sends buy for either.
        side: side @ 19,
        /// Shares that traded.
        shares: u32 @ 20,
        /// Symbol.
        stock: [u8; 8] @ 24,
        /// Price of the execution.
        price: u32 @ 32,
        /// Number of the match, unique in its day.
        match_number: u64 @ 36,
    }
    /// `Q`: a cross is done. The book does not change; its orders' executions come as `E` and `C`.
    CrossTrade = b'Q', 40 {
        /// Shares that matched; 0 when nothing did.
        shares: u64 @ 11,
        /// Symbol.
        stock: [u8; 8] @ 19,
        /// Price of the cross.
        price: u32 @ 27,
        /// Number of the match, unique in its day.
        match_number: u64 @ 31,
        /// `O` opening, `C` closing, `H` IPO or halted, `A` extended close.
        cross_type: u8 @ 39,
    }
    /// `B`: an execution is declared void. The book does not change.
    BrokenTrade = b'B', 19 {
        /// Number of the match.
        match_number: u64 @ 11,
    }
    /// `I`: net order imbalance before a cross.
    Imbalance = b'I', 50 {
        /// Shares that can be matched at the reference price.
        paired_shares: u64 @ 11,
        /// Shares that cannot.
        imbalance_shares: u64 @ 19,
        /// `B` buy, `S` sell, `N` none, `O` too few orders, `P` paused.
        imbalance_direction: u8 @ 27,
        /// Symbol.
        stock: [u8; 8] @ 28,
        /// Clearing price of the cross orders alone.
        far_price: u32 @ 36,
        /// Clearing price of cross and continuous orders.
        near_price: u32 @ 40,
        /// Price at which the shares are counted.
        reference_price: u32 @ 44,
        /// `O` opening, `C` closing, `H` IPO or halted, `A` extended close.
        cross_type: u8 @ 48,
        /// How far the near price is from the reference, in steps of a per cent: `L`, `1` to `9`, `A` to `C`, space
        /// unknown.
        price_variation: u8 @ 49,
    }
    /// `N`: retail price improvement interest.
    RetailInterest = b'N', 20 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// `B` buy, `S` sell, `A` both, `N` none.
        interest: u8 @ 19,
    }
    /// `O`: a direct listing with capital raise looks for its price.
    DirectListing = b'O', 48 {
        /// Symbol.
        stock: [u8; 8] @ 11,
        /// `Y` when it may be released for trading.
        open_eligibility: u8 @ 19,
        /// Lowest price allowed.
        minimum_price: u32 @ 20,
        /// Highest price allowed.
        maximum_price: u32 @ 24,
        /// Price at which it would trade.
        near_execution_price: u32 @ 28,
        /// When that price was found, ns since midnight, New York.
        near_execution_time_ns: u64 @ 32,
        /// Lower end of the collar.
        lower_collar: u32 @ 40,
        /// Upper end of the collar.
        upper_collar: u32 @ 44,
    }
}
