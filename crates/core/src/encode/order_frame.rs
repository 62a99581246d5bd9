//! Frames of orders: what happened to each, and images of all in the order of their queues.

use super::frame::{ImageBody, put_check, put_info};
use super::layout::{
    CHUNK_BYTES, Field, Header, SHORT, SHORT_BODY, begin, finish, prelude, put, put_len, put_only_vector,
    put_vector_offsets,
};
use super::name::put_names;
use crate::types::{Price, Qty, Side};

const ORDER_BYTES: usize = 40;

/// Orders in one chunk of an image.
pub const CHUNK_ORDERS_MAX: usize = CHUNK_BYTES / ORDER_BYTES;

/// The place at the end of a queue.
pub const PLACE_LAST: u32 = u32::MAX;

const ORDERS: [u8; SHORT] = prelude(108, &[(Field::Orders, SHORT_BODY)]);
const NAMED_ORDERS: [u8; SHORT] = prelude(112, &[(Field::Orders, SHORT_BODY), (Field::Names, 108)]);
const IMAGE: [u8; SHORT] = prelude(
    160,
    &[(Field::Info, SHORT_BODY), (Field::Check, 136), (Field::Orders, 152), (Field::Names, 156)],
);

/// What an order is called, as its owner knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderName {
    /// Nothing.
    None,
    /// A number.
    Number(u64),
    /// A UUID, its bytes in the order of its text.
    Uuid([u8; 16]),
    /// A text of up to 16 bytes, padded with zeros.
    Text([u8; 16]),
    /// A longer text, which an entry of this number holds.
    Named(u64),
}

impl OrderName {
    /// The words for [`Self::kind`], by number.
    pub const KINDS: [&str; 5] = ["none", "number", "uuid", "text", "named"];

    /// What the 16 bytes on the wire are.
    #[must_use]
    pub const fn kind(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Number(_) => 1,
            Self::Uuid(_) => 2,
            Self::Text(_) => 3,
            Self::Named(_) => 4,
        }
    }

    /// Those 16 bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        match self {
            Self::None => [0; 16],
            Self::Number(number) | Self::Named(number) => (number as u128).to_le_bytes(),
            Self::Uuid(bytes) | Self::Text(bytes) => bytes,
        }
    }
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderAction {
    /// It came.
    Add = 1,
    /// It changed and keeps its place in its queue.
    Change = 2,
    /// It went to another price or place.
    Move = 3,
    /// It left.
    Remove = 4,
    /// All orders of the book left.
    Clear = 5,
}

impl OrderAction {
    /// Every action, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Add, Self::Change, Self::Move, Self::Remove, Self::Clear];

    /// The action's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Move => "move",
            Self::Remove => "remove",
            Self::Clear => "clear",
        }
    }
}

/// Why it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderCause {
    /// The venue does not say.
    Unknown = 0,
    /// The order is new.
    New = 1,
    /// It was reduced or cancelled.
    Reduced = 2,
    /// It traded.
    Executed = 3,
    /// Another took its place.
    Replaced = 4,
    /// Its owner changed it.
    Changed = 5,
}

impl OrderCause {
    /// Every cause, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::New, Self::Reduced, Self::Executed, Self::Replaced, Self::Changed];

    /// The cause's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::New => "new",
            Self::Reduced => "reduced",
            Self::Executed => "executed",
            Self::Replaced => "replaced",
            Self::Changed => "changed",
        }
    }
}

/// One order of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderBody {
    /// What it is called.
    pub name: OrderName,
    /// Where it rests.
    pub price: Price,
    /// What is left of it; 0 with remove and clear.
    pub qty: Qty,
    /// Orders before it in the queue of its price, after the change; [`PLACE_LAST`] = at the end.
    pub place: u32,
    /// What happened.
    pub action: OrderAction,
    /// Its side; none with clear.
    pub side: Option<Side>,
    /// Why it happened.
    pub cause: OrderCause,
}

/// Appends a frame of what happened to orders, in that order; `names`: the texts that it uses first.
pub fn write_orders<'a>(
    out: &mut Vec<u8>,
    header: &Header,
    orders: &[OrderBody],
    names: impl Iterator<Item = (u64, &'a [u8])>,
) {
    let start = out.len();
    let mut names = names.peekable();
    if names.peek().is_none() {
        begin(out, &ORDERS, header);
        put_only_vector(out, orders.len());
        put_orders(out, orders);
    } else {
        begin(out, &NAMED_ORDERS, header);
        put_vector_offsets(out, orders.len() * ORDER_BYTES);
        put_len(out, orders.len());
        put_orders(out, orders);
        put_names(out, names);
    }
    finish(out, start);
}

/// Appends an image of all orders, each with action add: bids best price first, each queue front to back, then asks; in
/// as many chunks as it takes, each with the names that it uses; hands each chunk to `emit`.
///
/// `text_of` has the text of each [`OrderName::Named`]. `scratch` is overwritten. No allocation once it has grown to a
/// chunk. Cost: linear in the orders.
pub fn write_orders_image<'a>(
    scratch: &mut Vec<u8>,
    header: &Header,
    body: &ImageBody,
    orders: &[OrderBody],
    text_of: impl Fn(u64) -> &'a [u8],
    mut emit: impl FnMut(&[u8]),
) {
    let chunks = orders.len().div_ceil(CHUNK_ORDERS_MAX).max(1);
    let mut left = orders;
    for chunk in 0..chunks {
        let (now, rest) = left.split_at(left.len().min(CHUNK_ORDERS_MAX));
        left = rest;
        scratch.clear();
        begin(scratch, &IMAGE, header);
        put_info(scratch, body, chunk, chunks);
        put_check(scratch, &body.check);
        put_vector_offsets(scratch, now.len() * ORDER_BYTES);
        put_len(scratch, now.len());
        put_orders(scratch, now);
        let names = now.iter().filter_map(|order| match order.name {
            OrderName::Named(number) => Some((number, text_of(number))),
            _ => None,
        });
        put_names(scratch, names);
        finish(scratch, 0);
        emit(scratch);
    }
}

fn put_orders(out: &mut Vec<u8>, orders: &[OrderBody]) {
    out.reserve(orders.len() * ORDER_BYTES);
    for order in orders {
        put(out, &order.name.bytes());
        put(out, &order.price.0.to_le_bytes());
        put(out, &order.qty.0.to_le_bytes());
        put(out, &order.place.to_le_bytes());
        let side = match order.side {
            None => 0,
            Some(Side::Bid) => 1,
            Some(Side::Ask) => 2,
        };
        put(out, &[order.action as u8, side, order.cause as u8, order.name.kind()]);
    }
}
