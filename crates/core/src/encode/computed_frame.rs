//! Frames of what is computed of an instrument: signals, volumes at prices, costs to fill.

use super::frame::{ImageBody, ViewBody, put_info, put_view};
use super::layout::{Field, Header, LONG, LONG_BODY, begin, finish, prelude, put, put_only_vector};
use crate::types::{Price, Qty, Side, TimeNs};

const SIGNALS: [u8; LONG] = prelude(124, &[(Field::Signals, LONG_BODY)]);
const VOLUMES: [u8; LONG] = prelude(124, &[(Field::Volumes, LONG_BODY)]);
const COSTS: [u8; LONG] = prelude(124, &[(Field::Costs, LONG_BODY)]);
const SIGNALS_IMAGE: [u8; LONG] = image(Field::Signals);
const VOLUMES_IMAGE: [u8; LONG] = image(Field::Volumes);
const COSTS_IMAGE: [u8; LONG] = image(Field::Costs);

const fn image(vector: Field) -> [u8; LONG] {
    prelude(180, &[(Field::Info, LONG_BODY), (Field::View, 152), (vector, 176)])
}

/// A number computed of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalBody {
    /// Which one.
    pub id: u16,
    /// Its mantissa.
    pub value: i64,
    /// Its power of ten.
    pub exponent: i8,
    /// The time that it is computed over; 0 = a moment.
    pub window_ns: u64,
    /// The end of that time, ns.
    pub ts_event: TimeNs,
    /// Doubts: [`Self::STALE`], [`Self::PARTIAL`].
    pub flags: u8,
}

impl SignalBody {
    /// Computed of a book that is not synced.
    pub const STALE: u8 = 1;
    /// Computed of less than the whole window.
    pub const PARTIAL: u8 = 2;
}

/// What has traded at a price, or in the bucket that ends at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeBody {
    /// The price.
    pub price: Price,
    /// Taken by buyers.
    pub bought: Qty,
    /// Taken by sellers.
    pub sold: Qty,
    /// Where the venue does not say.
    pub unknown: Qty,
    /// How many trades that were.
    pub trades: u32,
}

/// What taking a quantity from a side costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostBody {
    /// The quantity asked for.
    pub qty: Qty,
    /// What the side holds of it.
    pub filled: Qty,
    /// Average price of that, at `price_exponent`.
    pub price_average: i64,
    /// Its worst price.
    pub price_worst: Price,
    /// What it comes to, at `cost_exponent`.
    pub cost: i64,
    /// Power of ten of the average price.
    pub price_exponent: i8,
    /// Power of ten of the cost.
    pub cost_exponent: i8,
    /// The side that it is taken from.
    pub side: Side,
    /// Whether all of it is filled.
    pub is_complete: bool,
    /// Whether the venue has made the book known as deep as was needed.
    pub is_known: bool,
}

/// Appends a frame of signals, or with `image` an image of them.
pub fn write_signals(
    out: &mut Vec<u8>,
    header: &Header,
    image: Option<(&ImageBody, &ViewBody)>,
    signals: &[SignalBody],
) {
    let start = out.len();
    begin_rows(out, header, image, [&SIGNALS, &SIGNALS_IMAGE], signals.len());
    for signal in signals {
        put(out, &signal.value.to_le_bytes());
        put(out, &signal.window_ns.to_le_bytes());
        put(out, &signal.ts_event.to_le_bytes());
        put(out, &signal.id.to_le_bytes());
        put(out, &[signal.exponent as u8, signal.flags, 0, 0, 0, 0]);
    }
    finish(out, start);
}

/// Appends a frame of volumes at prices, or with `image` an image of them.
pub fn write_volumes(
    out: &mut Vec<u8>,
    header: &Header,
    image: Option<(&ImageBody, &ViewBody)>,
    volumes: &[VolumeBody],
) {
    let start = out.len();
    begin_rows(out, header, image, [&VOLUMES, &VOLUMES_IMAGE], volumes.len());
    for volume in volumes {
        for word in [volume.price.0, volume.bought.0, volume.sold.0, volume.unknown.0] {
            put(out, &word.to_le_bytes());
        }
        put(out, &u64::from(volume.trades).to_le_bytes());
    }
    finish(out, start);
}

/// Appends a frame of costs to fill, or with `image` an image of them.
pub fn write_costs(
    out: &mut Vec<u8>,
    header: &Header,
    image: Option<(&ImageBody, &ViewBody)>,
    costs: &[CostBody],
) {
    let start = out.len();
    begin_rows(out, header, image, [&COSTS, &COSTS_IMAGE], costs.len());
    for cost in costs {
        for word in [cost.qty.0, cost.filled.0, cost.price_average, cost.price_worst.0, cost.cost] {
            put(out, &word.to_le_bytes());
        }
        let side = if cost.side == Side::Bid { 1 } else { 2 };
        let exponents = [cost.price_exponent as u8, cost.cost_exponent as u8];
        put(out, &exponents);
        put(out, &[side, u8::from(cost.is_complete), u8::from(cost.is_known), 0, 0, 0]);
    }
    finish(out, start);
}

fn begin_rows(
    out: &mut Vec<u8>,
    header: &Header,
    image: Option<(&ImageBody, &ViewBody)>,
    [change_prelude, image_prelude]: [&[u8; LONG]; 2],
    len: usize,
) {
    match image {
        None => begin(out, change_prelude, header),
        Some((body, view)) => {
            begin(out, image_prelude, header);
            put_info(out, body, 0, 1);
            put_view(out, view);
        }
    }
    put_only_vector(out, len);
}
