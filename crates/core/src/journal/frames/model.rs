//! What a frame is expected to be, from those before it in its block. Writer and reader go through each frame by the same walk, so
//! that they expect the same; what is told in columns is the difference.
//!
//! What is expected never decides whether a frame comes back exactly, only how many bytes it takes.

use std::collections::HashMap;

use super::columns::Coder;
use super::form::{Form, Mode, TOLD_LEN};
use super::schema::{self, What};
use super::shape::{HEADER_BYTES, Shape, VECTORS_MAX, elements_at};
use crate::encode::{Kind, Stream};

/// Quantities that are remembered of prices, of all books of a block.
const QTYS: usize = 1 << 12;
/// Orders that are remembered by their place in the row of those that came.
pub(super) const ORDERS: usize = 1 << 16;

/// Unit of numbers that have none.
pub(super) const NO_UNIT: usize = 0;
/// Units of an instrument: of its prices, quantities and times.
pub(super) const UNITS: usize = 3;

/// Offsets of the header's words.
const AT_EPOCH: usize = 0;
const AT_SEQ: usize = 8;
const AT_PREV_SEQ: usize = 16;
const AT_VENUE_SEQ: usize = 24;
const AT_TS_EVENT: usize = 32;
const AT_TS_RECV: usize = 40;
/// The last one: instrument, kind, stream and flags, which the form tells.
const AT_WHICH: usize = 56;

/// What is remembered of an instrument.
#[derive(Clone, Debug, Default)]
struct Instrument {
    epoch: u64,
    venue_seq: u64,
    ts_event: u64,
    delay: u64,
    /// Where an order was added last, by what its book told of it before.
    price: u64,
}

/// What is remembered of a stream of an instrument.
#[derive(Clone, Debug)]
struct Lane {
    seq: u64,
    /// The last price of each side, and of trades.
    prices: [u64; 3],
    id: u64,
    /// The last word of each column of [`What::Words`] and the like.
    words: Box<[u64; schema::COLUMNS]>,
}

/// The quantity that stood at a price.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    price: u64,
    book: u32,
    qty: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Model {
    instruments: Vec<Instrument>,
    lanes: Vec<Lane>,
    qtys: Vec<Known>,
    orders: Vec<[u8; 16]>,
    by_instrument: HashMap<u32, u32>,
    by_lane: HashMap<(u32, u8), u32>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            instruments: Vec::new(),
            lanes: Vec::new(),
            qtys: vec![Known::default(); QTYS],
            orders: Vec::new(),
            by_instrument: HashMap::new(),
            by_lane: HashMap::new(),
        }
    }
}

/// Where a form's memory is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    instrument: usize,
    lane: usize,
}

impl Model {
    /// Forgets all: another block begins.
    pub(super) fn clear(&mut self) {
        self.instruments.clear();
        self.lanes.clear();
        self.qtys.fill(Known::default());
        self.orders.clear();
        self.by_instrument.clear();
        self.by_lane.clear();
    }

    /// How many instruments there are.
    pub(super) fn instruments(&self) -> usize {
        self.instruments.len()
    }

    /// The memory of a form's instrument and stream.
    pub(super) fn memory(&mut self, instrument: u32, stream: u8) -> Memory {
        let Self { instruments, lanes, by_instrument, by_lane, .. } = self;
        let of_instrument = *by_instrument.entry(instrument).or_insert_with(|| {
            instruments.push(Instrument::default());
            instruments.len() as u32 - 1
        });
        let lane = *by_lane.entry((instrument, stream)).or_insert_with(|| {
            lanes.push(Lane { seq: 0, prices: [0; 3], id: 0, words: Box::new([0; schema::COLUMNS]) });
            lanes.len() as u32 - 1
        });
        Memory { instrument: of_instrument as usize, lane: lane as usize }
    }

    /// The modes by which a frame's header is told in the fewest bytes.
    pub(super) fn modes_of(&self, memory: Memory, header: &[u8; HEADER_BYTES]) -> [Mode; Form::MODES] {
        let (instrument, lane) = (&self.instruments[memory.instrument], &self.lanes[memory.lane]);
        let [seq, ts_event] = [AT_SEQ, AT_TS_EVENT].map(|at| word_at(header, at));
        let delay = word_at(header, AT_TS_RECV).wrapping_sub(ts_event);
        let differences = [
            word_at(header, AT_EPOCH).wrapping_sub(instrument.epoch),
            seq.wrapping_sub(lane.seq),
            seq.wrapping_sub(word_at(header, AT_PREV_SEQ)),
            word_at(header, AT_VENUE_SEQ).wrapping_sub(instrument.venue_seq),
            ts_event.wrapping_sub(instrument.ts_event),
            delay.wrapping_sub(instrument.delay),
        ];
        differences.map(|difference| match difference {
            0 => Mode::Same,
            1 => Mode::Next,
            _ => Mode::Told,
        })
    }

    /// Goes through a frame: a writer's coder notes its numbers, a reader's puts them in. None where a reader's columns do not
    /// hold them.
    #[inline]
    pub(super) fn walk<C: Coder>(
        &mut self,
        (shape, form): (&Shape, &Form),
        memory: Memory,
        lens: &[u32; VECTORS_MAX],
        frame: &mut [u8],
        coder: &mut C,
    ) -> Option<()> {
        let Self { instruments, lanes, qtys, orders, .. } = self;
        let (instrument, lane) = (&mut instruments[memory.instrument], &mut lanes[memory.lane]);
        let unit = 1 + UNITS * memory.instrument;
        let (price_unit, qty_unit, time_unit) = (unit, unit + 1, unit + 2);
        let at = shape.header_at();

        let mut told = |mode: Mode, at: usize, base: u64, column: usize, unit: usize| match mode {
            Mode::Same => Some(base),
            Mode::Next => Some(base.wrapping_add(1)),
            Mode::Told => coder.number(frame, at, column, unit, base),
        };
        let [epoch_mode, seq_mode, prev_mode, venue_mode, ts_mode, delay_mode] = form.modes;
        let epoch = told(epoch_mode, at + AT_EPOCH, instrument.epoch, schema::EPOCH, NO_UNIT)?;
        let seq = told(seq_mode, at + AT_SEQ, lane.seq, schema::SEQ, NO_UNIT)?;
        // It lies before, not behind.
        let prev_seq = match prev_mode {
            Mode::Next => seq.wrapping_sub(1),
            mode => told(mode, at + AT_PREV_SEQ, seq, schema::PREV_SEQ, NO_UNIT)?,
        };
        let venue_seq =
            told(venue_mode, at + AT_VENUE_SEQ, instrument.venue_seq, schema::VENUE_SEQ, NO_UNIT)?;
        let ts_event = told(ts_mode, at + AT_TS_EVENT, instrument.ts_event, schema::TS_EVENT, time_unit)?;
        let expected = ts_event.wrapping_add(instrument.delay);
        let ts_recv = told(delay_mode, at + AT_TS_RECV, expected, schema::DELAY, NO_UNIT)?;
        (instrument.epoch, instrument.venue_seq, instrument.ts_event) = (epoch, venue_seq, ts_event);
        (instrument.delay, lane.seq) = (ts_recv.wrapping_sub(ts_event), seq);
        let header = frame.get_mut(at..at + HEADER_BYTES)?;
        for (at, word) in [
            (AT_EPOCH, epoch),
            (AT_SEQ, seq),
            (AT_PREV_SEQ, prev_seq),
            (AT_VENUE_SEQ, venue_seq),
            (AT_TS_EVENT, ts_event),
            (AT_TS_RECV, ts_recv),
            (AT_WHICH, form.which),
        ] {
            header[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }

        for &(at, what) in &shape.structs {
            match what {
                What::Halves { column, words } => {
                    for half in 0..2 * words {
                        let last = &mut lane.words[column + half];
                        *last = coder.half(frame, at + 4 * half, column + half, *last as u32)?.into();
                    }
                }
                What::Check { column } => {
                    coder.raw(frame, at, 8)?;
                    for half in 2..4 {
                        let last = &mut lane.words[column + half];
                        *last = coder.half(frame, at + 4 * half, column + half, *last as u32)?.into();
                    }
                }
                What::Words { column, words } => {
                    for word in 0..words {
                        let last = &mut lane.words[column + word];
                        *last = coder.number(frame, at + 8 * word, column + word, NO_UNIT, *last)?;
                    }
                }
                _ => return None,
            }
        }

        let kind = form.kind();
        let set = match kind {
            kind if kind == Kind::Delta as u8 => 0,
            kind if kind == Kind::Bbo as u8 => 1,
            _ => 2,
        };
        let stream = form.stream();
        // The top is of the book; a view has its own levels.
        let book = if stream == Stream::BOOK.0 || stream == Stream::BBO.0 {
            memory.instrument as u32
        } else {
            u32::MAX - memory.lane as u32
        };
        let mut end = shape.fixed_bytes;
        for (&(_, what), &len) in shape.vectors.iter().zip(lens) {
            let mut at = elements_at(end);
            let bytes = what.bytes();
            end = at + len as usize * bytes;
            match what {
                What::Levels { side } => {
                    let column = 2 * set + side;
                    while at < end {
                        let last = &mut lane.prices[side];
                        let price =
                            coder.number(frame, at, schema::LEVEL_PRICE + column, price_unit, *last)?;
                        *last = price;
                        let known = &mut qtys[slot_of(price, book)];
                        let expected = if known.price == price && known.book == book { known.qty } else { 0 };
                        let qty =
                            coder.number(frame, at + 8, schema::LEVEL_QTY + column, qty_unit, expected)?;
                        *known = Known { price, book, qty };
                        if set == 0 && (qty > expected || len == 1) {
                            instrument.price = price;
                        }
                        at += bytes;
                    }
                }
                What::Trades => {
                    while at < end {
                        let [price, _, _] = &mut lane.prices;
                        *price = coder.number(frame, at, schema::TRADE_PRICE, price_unit, *price)?;
                        coder.number(frame, at + 8, schema::TRADE_QTY, qty_unit, 0)?;
                        lane.id = coder.number(
                            frame,
                            at + 16,
                            schema::TRADE_ID,
                            NO_UNIT,
                            lane.id.wrapping_add(1),
                        )?;
                        coder.number(frame, at + 24, schema::TRADE_TS, NO_UNIT, ts_event)?;
                        coder.number(frame, at + 32, schema::TRADE_TAIL, NO_UNIT, 0)?;
                        at += bytes;
                    }
                }
                What::Orders => {
                    while at < end {
                        coder.half(frame, at + 32, schema::ORDER_PLACE, u32::MAX)?;
                        let tail = coder.tail(frame, at + 36)?;
                        match coder.reference(frame, at, orders)? {
                            Some(id) => frame.get_mut(at..at + 16)?.copy_from_slice(&id),
                            None => {
                                if is_number(tail) {
                                    lane.id = coder.number(frame, at, schema::ORDER_ID, NO_UNIT, lane.id)?;
                                } else {
                                    coder.raw(frame, at, 16)?;
                                }
                                coder.came(frame.get(at..at + 16)?.first_chunk()?, orders);
                            }
                        }
                        let price = coder.number(
                            frame,
                            at + 16,
                            schema::ORDER_PRICE,
                            price_unit,
                            instrument.price,
                        )?;
                        instrument.price = price;
                        coder.number(frame, at + 24, schema::ORDER_QTY, qty_unit, 0)?;
                        at += bytes;
                    }
                }
                What::Rows { column, words } => {
                    while at < end {
                        for word in 0..words {
                            let last = &mut lane.words[column + word];
                            *last = coder.number(frame, at + 8 * word, column + word, NO_UNIT, *last)?;
                        }
                        at += bytes;
                    }
                }
                What::RawRows { .. } => {
                    let bytes = end - at;
                    coder.raw(frame, at, bytes)?;
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// Whether the last four bytes of an order say that its name is a number, whose high half is 0.
pub(super) const fn is_number(tail: [u8; 4]) -> bool {
    !matches!(tail[3], 2 | 3)
}

/// The lengths that a form tells, and which of them stand in a column.
pub(super) fn short_lens(lens: &[u32; VECTORS_MAX]) -> [u8; VECTORS_MAX] {
    lens.map(|len| if len < u32::from(TOLD_LEN) { len as u8 } else { TOLD_LEN })
}

/// Where the quantity of a price is remembered.
#[inline]
fn slot_of(price: u64, book: u32) -> usize {
    let mixed = (price ^ u64::from(book) << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 52) as usize
}

#[inline]
pub(super) fn word_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
}

const _: () = assert!(QTYS == 1 << (64 - 52));
