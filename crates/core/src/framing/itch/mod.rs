//! TotalView-ITCH 5.0: every order of the venue, message by message. Zero-copy: one check of type and length,
//! then fields are read where they stand.
//!
//! The book is changed by A F E C X D U and by nothing else ([`Message::order_change`]). Volume is what E, printable C,
//! P and Q report ([`Message::trade`]); a non-printable C changes the book and is no volume. Messages come framed as
//! [BinaryFILE](super::binary_file), MoldUDP64 or SoupBinTCP; this module sees them one at a time.

mod error;
mod message;

pub use error::ItchError;
pub use message::*;

use crate::types::{OrderChange, OrderId, Price, Qty};

/// Power of ten of every price but those of [`MwcbDeclineLevel`].
pub const PRICE_EXPONENT: i8 = -4;

/// Power of ten of the index levels of [`MwcbDeclineLevel`].
pub const MWCB_PRICE_EXPONENT: i8 = -8;

/// Bytes of the longest message.
pub const MESSAGE_BYTES_MAX: usize = Imbalance::LEN;

/// Nanoseconds of the longest day of a year, in which the clocks go back.
const DAY_NS: u64 = 25 * 3_600 * 1_000_000_000;

/// An execution that counts as volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Number of the match, unique in its day; [`BrokenTrade`] names it when the execution is void.
    pub match_number: u64,
    /// The displayed order that traded; `None` for hidden orders and crosses.
    pub order: Option<OrderId>,
    /// Shares that traded, above 0.
    pub shares: u64,
    /// At which price; `None` where the message states none and it is the order's own.
    pub price: Option<Price>,
}

/// Reads one whole message. Constant time, no allocation.
///
/// # Errors
/// [`ItchError`] for no bytes, an unknown type, a length that is not the type's, a side of A, F or P or a printable flag
/// of C that is neither of its two letters.
///
/// ```
/// use depthwire_core::framing::itch::{Message, decode};
/// let Ok(Message::OrderDelete(delete)) = decode(b"D\0\x07\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\x01\0") else { panic!() };
/// assert_eq!((delete.stock_locate(), delete.timestamp_ns(), delete.reference()), (7, 42, 256));
/// ```
// Inlined into the caller's loop, its arms join those of the caller's match.
#[inline(always)]
pub fn decode(bytes: &[u8]) -> Result<Message<'_>, ItchError> {
    // Nine messages of ten are an A or a D, and which comes is not to be foretold. A wrong guess costs least when it
    // is found out by the length, which is known before the type, and not by a jump through a table.
    if let Ok(message) = <&[u8; AddOrder::LEN]>::try_from(bytes)
        && message[0] == AddOrder::TYPE
    {
        check_side(message[19])?;
        return Ok(Message::AddOrder(AddOrder(message)));
    }
    if let Ok(message) = <&[u8; OrderDelete::LEN]>::try_from(bytes)
        && message[0] == OrderDelete::TYPE
    {
        return Ok(Message::OrderDelete(OrderDelete(message)));
    }
    let Some(&message_type) = bytes.first() else { return Err(ItchError::Empty) };
    Ok(match message_type {
        // Each arm makes its own error: with a common one, compilers stop joining the arms to those of the caller's
        // match, and every message costs a second jump.
        AddOrder::TYPE => return Err(wrong_length(bytes, AddOrder::LEN)),
        OrderDelete::TYPE => return Err(wrong_length(bytes, OrderDelete::LEN)),
        OrderReplace::TYPE => Message::OrderReplace(OrderReplace(exact(bytes)?)),
        OrderExecuted::TYPE => Message::OrderExecuted(OrderExecuted(exact(bytes)?)),
        OrderCancel::TYPE => Message::OrderCancel(OrderCancel(exact(bytes)?)),
        AddOrderAttributed::TYPE => {
            let message = AddOrderAttributed(exact(bytes)?);
            check_side(message.0[19])?;
            Message::AddOrderAttributed(message)
        }
        OrderExecutedWithPrice::TYPE => {
            let message = OrderExecutedWithPrice(exact(bytes)?);
            let got = message.0[31];
            if !matches!(got, b'Y' | b'N') {
                return Err(ItchError::BadPrintable { got });
            }
            Message::OrderExecutedWithPrice(message)
        }
        NonCrossTrade::TYPE => {
            let message = NonCrossTrade(exact(bytes)?);
            check_side(message.0[19])?;
            Message::NonCrossTrade(message)
        }
        CrossTrade::TYPE => Message::CrossTrade(CrossTrade(exact(bytes)?)),
        BrokenTrade::TYPE => Message::BrokenTrade(BrokenTrade(exact(bytes)?)),
        Imbalance::TYPE => Message::Imbalance(Imbalance(exact(bytes)?)),
        SystemEvent::TYPE => Message::SystemEvent(SystemEvent(exact(bytes)?)),
        StockDirectory::TYPE => Message::StockDirectory(StockDirectory(exact(bytes)?)),
        TradingAction::TYPE => Message::TradingAction(TradingAction(exact(bytes)?)),
        RegShoRestriction::TYPE => Message::RegShoRestriction(RegShoRestriction(exact(bytes)?)),
        ParticipantPosition::TYPE => Message::ParticipantPosition(ParticipantPosition(exact(bytes)?)),
        MwcbDeclineLevel::TYPE => Message::MwcbDeclineLevel(MwcbDeclineLevel(exact(bytes)?)),
        MwcbStatus::TYPE => Message::MwcbStatus(MwcbStatus(exact(bytes)?)),
        IpoQuotingPeriod::TYPE => Message::IpoQuotingPeriod(IpoQuotingPeriod(exact(bytes)?)),
        LuldAuctionCollar::TYPE => Message::LuldAuctionCollar(LuldAuctionCollar(exact(bytes)?)),
        OperationalHalt::TYPE => Message::OperationalHalt(OperationalHalt(exact(bytes)?)),
        RetailInterest::TYPE => Message::RetailInterest(RetailInterest(exact(bytes)?)),
        DirectListing::TYPE => Message::DirectListing(DirectListing(exact(bytes)?)),
        got => return Err(ItchError::UnknownType { got }),
    })
}

impl Message<'_> {
    /// What the message does to the orders of a book, and the stock locate of that book; `None` when it does nothing.
    ///
    /// Prices have the exponent [`PRICE_EXPONENT`], quantities are shares. A replacement and everything after an
    /// order's first message names the order alone: side and symbol are those with which it was added.
    #[inline]
    #[must_use]
    pub const fn order_change(&self) -> Option<(u16, OrderChange)> {
        let change = match self {
            Self::AddOrder(message) => OrderChange::Add {
                id: OrderId(message.reference()),
                side: message.side(),
                price: price(message.price()),
                qty: qty(message.shares()),
            },
            Self::AddOrderAttributed(message) => OrderChange::Add {
                id: OrderId(message.reference()),
                side: message.side(),
                price: price(message.price()),
                qty: qty(message.shares()),
            },
            Self::OrderExecuted(message) => {
                OrderChange::Execute { id: OrderId(message.reference()), qty: qty(message.shares()) }
            }
            Self::OrderExecutedWithPrice(message) => {
                OrderChange::Execute { id: OrderId(message.reference()), qty: qty(message.shares()) }
            }
            Self::OrderCancel(message) => {
                OrderChange::Reduce { id: OrderId(message.reference()), qty: qty(message.shares()) }
            }
            Self::OrderDelete(message) => OrderChange::Delete { id: OrderId(message.reference()) },
            Self::OrderReplace(message) => OrderChange::Replace {
                id: OrderId(message.original_reference()),
                new_id: OrderId(message.new_reference()),
                price: price(message.price()),
                qty: qty(message.shares()),
            },
            _ => return None,
        };
        Some((self.stock_locate(), change))
    }

    /// The volume that the message reports and the stock locate concerned; `None` when it reports none, as a C that is
    /// not printable and a cross without shares do.
    #[inline]
    #[must_use]
    pub const fn trade(&self) -> Option<(u16, Trade)> {
        let trade = match self {
            Self::OrderExecuted(message) => Trade {
                match_number: message.match_number(),
                order: Some(OrderId(message.reference())),
                shares: message.shares() as u64,
                price: None,
            },
            Self::OrderExecutedWithPrice(message) if message.printable() => Trade {
                match_number: message.match_number(),
                order: Some(OrderId(message.reference())),
                shares: message.shares() as u64,
                price: Some(price(message.price())),
            },
            Self::NonCrossTrade(message) => Trade {
                match_number: message.match_number(),
                order: None,
                shares: message.shares() as u64,
                price: Some(price(message.price())),
            },
            Self::CrossTrade(message) => Trade {
                match_number: message.match_number(),
                order: None,
                shares: message.shares(),
                price: Some(price(message.price())),
            },
            _ => return None,
        };
        if trade.shares == 0 { None } else { Some((self.stock_locate(), trade)) }
    }
}

/// A text without the spaces that pad it.
#[must_use]
pub const fn text(padded: &[u8]) -> &[u8] {
    let mut text = padded;
    while let [head @ .., b' '] = text {
        text = head;
    }
    text
}

/// Whether bytes begin as a message does: a known type and a time of day.
pub(super) fn is_plausible(bytes: &[u8]) -> bool {
    let Some((&[message_type, _, _, _, _, a, b, c, d, e, f], _)) = bytes.split_first_chunk() else {
        return false;
    };
    message_len(message_type).is_some() && u64::from_be_bytes([0, 0, a, b, c, d, e, f]) < DAY_NS
}

const fn price(mantissa: u32) -> Price {
    Price(mantissa as i64)
}

const fn qty(shares: u32) -> Qty {
    Qty(shares as i64)
}

/// The bytes as a message of `N` bytes.
#[inline(always)]
fn exact<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], ItchError> {
    bytes.try_into().map_err(|_| wrong_length(bytes, N))
}

#[cold]
fn wrong_length(bytes: &[u8], expected: usize) -> ItchError {
    match bytes.first() {
        Some(&message_type) => ItchError::WrongLength { message_type, expected, got: bytes.len() },
        None => ItchError::Empty,
    }
}

/// One letter is as frequent as the other and nothing foretells which comes, so no branch may stand between the two
/// comparisons: the product is 0 for either, and for nothing else.
#[inline(always)]
const fn check_side(got: u8) -> Result<(), ItchError> {
    if (got ^ b'B') as u16 * (got ^ b'S') as u16 == 0 { Ok(()) } else { Err(ItchError::BadSide { got }) }
}

#[cfg(test)]
mod tests;
