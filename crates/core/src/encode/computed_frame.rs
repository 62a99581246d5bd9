//! Frames of what is computed of an instrument: signals, volumes at prices, costs to fill.

use super::frame::{ImageBody, ViewBody, put_info, put_view};
use super::layout::{
    CHUNK_BYTES, Field, Header, LONG, LONG_BODY, begin, finish, prelude, put, put_only_vector,
};
use crate::aggregate::{Cost, Traded};
use crate::types::{Side, TimeNs};

const VOLUME_BYTES: usize = 40;

/// `side` of a cost that is taken from the bids, and from the asks.
pub(crate) const COST_OF_BIDS: u8 = 1;
pub(crate) const COST_OF_ASKS: u8 = 2;

/// Rows of volumes in one chunk of an image.
pub const CHUNK_VOLUMES_MAX: usize = CHUNK_BYTES / VOLUME_BYTES;

const SIGNALS: [u8; LONG] = prelude(124, &[(Field::Signals, LONG_BODY)]);
const VOLUMES: [u8; LONG] = prelude(140, &[(Field::Session, LONG_BODY), (Field::Volumes, 136)]);
const COSTS: [u8; LONG] = prelude(124, &[(Field::Costs, LONG_BODY)]);
const SIGNALS_IMAGE: [u8; LONG] = image(Field::Signals);
const VOLUMES_IMAGE: [u8; LONG] = prelude(
    196,
    &[(Field::Info, LONG_BODY), (Field::View, 152), (Field::Session, 176), (Field::Volumes, 192)],
);
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
    /// What is to be said of it: [`Self::PARTIAL`].
    pub flags: u8,
}

impl SignalBody {
    /// Computed of less than the whole window.
    pub const PARTIAL: u8 = 2;
}

/// Of when volumes are. Times in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionBody {
    /// When the first trade that counts was received, or when counting began among trades that come whole; 0 = none was.
    pub since: TimeNs,
    /// When it was last noticed that trades since then may be missing; 0 = none are.
    pub missed_at: TimeNs,
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

/// Appends a frame of volumes that changed.
pub fn write_volumes(out: &mut Vec<u8>, header: &Header, session: &SessionBody, volumes: &[Traded]) {
    let start = out.len();
    begin(out, &VOLUMES, header);
    put_session(out, session);
    put_volumes(out, volumes);
    finish(out, start);
}

/// Writes an image of volumes, in as many chunks as it takes; hands each chunk to `emit`. `scratch` is overwritten.
pub fn write_volumes_image(
    scratch: &mut Vec<u8>,
    header: &Header,
    (body, view): (&ImageBody, &ViewBody),
    session: &SessionBody,
    volumes: &[Traded],
    mut emit: impl FnMut(&[u8]),
) {
    let chunks = volumes.len().div_ceil(CHUNK_VOLUMES_MAX).max(1);
    for chunk in 0..chunks {
        let rest = &volumes[chunk * CHUNK_VOLUMES_MAX..];
        scratch.clear();
        begin(scratch, &VOLUMES_IMAGE, header);
        put_info(scratch, body, chunk, chunks);
        put_view(scratch, view);
        put_session(scratch, session);
        put_volumes(scratch, &rest[..rest.len().min(CHUNK_VOLUMES_MAX)]);
        finish(scratch, 0);
        emit(scratch);
    }
}

fn put_session(out: &mut Vec<u8>, session: &SessionBody) {
    put(out, &session.since.to_le_bytes());
    put(out, &session.missed_at.to_le_bytes());
}

fn put_volumes(out: &mut Vec<u8>, volumes: &[Traded]) {
    put_only_vector(out, volumes.len());
    out.reserve(volumes.len() * VOLUME_BYTES);
    for volume in volumes {
        for word in [volume.price.0, volume.bought.0, volume.sold.0, volume.unknown.0] {
            put(out, &word.to_le_bytes());
        }
        put(out, &u64::from(volume.trades).to_le_bytes());
    }
}

/// Appends a frame of costs to fill, or with `image` an image of them.
pub fn write_costs(
    out: &mut Vec<u8>,
    header: &Header,
    image: Option<(&ImageBody, &ViewBody)>,
    costs: &[Cost],
) {
    let start = out.len();
    begin_rows(out, header, image, [&COSTS, &COSTS_IMAGE], costs.len());
    for cost in costs {
        for word in [cost.qty.0, cost.filled.0, cost.price_average, cost.price_worst.0, cost.cost] {
            put(out, &word.to_le_bytes());
        }
        let side = if cost.side == Side::Bid { COST_OF_BIDS } else { COST_OF_ASKS };
        let exponents = [cost.price_exponent as u8, cost.cost_exponent as u8];
        put(out, &exponents);
        put(out, &[side, u8::from(cost.is_complete), u8::from(cost.is_known), 0]);
        put(out, &cost.bps.to_le_bytes());
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
