//! ITCH: single messages, and files of them with either prefix.

use std::sync::OnceLock;

use depthwire_core::framing::binary_file::{BinaryFileError, BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{Message, decode, message_len};
use depthwire_core::recording::Format;
use depthwire_core::types::{OrderChange, OrderId, Price, Qty, Side};
use depthwire_sim::itch::{ItchConfig, ItchDay};

use crate::chunks::in_chunks;
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::recorded::Recordings;
use crate::run::{Said, Target};

/// Messages of synthetic days with few symbols, so that a few messages make books: all from the first on.
pub fn day(symbols: usize) -> &'static [Vec<u8>] {
    static DAYS: [OnceLock<Vec<Vec<u8>>>; 4] = [const { OnceLock::new() }; 4];
    DAYS[symbols].get_or_init(|| {
        let mut day = ItchDay::new(ItchConfig { seed: 5, symbols, orders: 12 }).unwrap();
        let mut messages = Vec::new();
        for _ in 0..4_000 {
            let mut message = Vec::new();
            day.next(&mut message);
            messages.push(message.split_off(2));
        }
        day.close();
        loop {
            let mut message = Vec::new();
            if !day.next(&mut message) {
                return messages;
            }
            messages.push(message.split_off(2));
        }
    })
}

/// The letters of all types of messages.
const TYPES: &[u8] = b"SRHYLVWKJhAFECXDUPQBINO";

/// A message of any type, its fields anything but its letters.
pub fn message(random: &mut Random) -> Vec<u8> {
    let message_type = *random.pick(TYPES);
    let len = message_len(message_type).unwrap();
    let mut message = random.bytes(len);
    message[0] = message_type;
    match message_type {
        b'A' | b'F' | b'P' => message[19] = *random.pick(b"BS"),
        b'C' => message[31] = *random.pick(b"YN"),
        _ => {}
    }
    message
}

/// Fields of the message at an offset.
pub fn message_fields(fields: &mut Fields<'_>, at: usize, len: usize) {
    let Some(&message_type) = fields.bytes.get(at) else { return };
    fields.note(Kind::Letter, at, 1);
    for (offset, len) in [(1, 2), (3, 2), (5, 6)] {
        fields.note(Kind::Big, at + offset, len);
    }
    let numbers: &[(usize, usize)] = match message_type {
        b'A' | b'F' | b'P' => &[(11, 8), (20, 4), (32, 4)],
        b'E' | b'X' | b'C' => &[(11, 8), (19, 4)],
        b'D' | b'B' => &[(11, 8)],
        b'U' => &[(11, 8), (19, 8), (27, 4), (31, 4)],
        b'Q' => &[(11, 8), (27, 4)],
        _ => &[],
    };
    for &(offset, len) in numbers {
        fields.note(Kind::Big, at + offset, len);
    }
    match message_type {
        b'A' | b'F' | b'P' => {
            fields.note(Kind::Letter, at + 19, 1);
            fields.note(Kind::Text, at + 24, 8);
        }
        b'C' => fields.note(Kind::Letter, at + 31, 1),
        b'S' => fields.note(Kind::Letter, at + 11, 1),
        _ => fields.note(Kind::Text, at + 11, len.saturating_sub(11)),
    }
}

/// A number of a message, by the document: big-endian.
fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// What a message does to the orders, read from the document's table a second time.
fn change(bytes: &[u8]) -> Option<OrderChange> {
    if !b"AFECXDU".contains(&bytes[0]) {
        return None;
    }
    let id = OrderId(number(bytes, 11, 8));
    let shares = |at| Qty(number(bytes, at, 4) as i64);
    let price = |at| Price(number(bytes, at, 4) as i64);
    Some(match bytes[0] {
        b'A' | b'F' => {
            let side = if bytes[19] == b'B' { Side::Bid } else { Side::Ask };
            OrderChange::Add { id, side, price: price(32), qty: shares(20) }
        }
        b'E' | b'C' => OrderChange::Execute { id, qty: shares(19) },
        b'X' => OrderChange::Reduce { id, qty: shares(19) },
        b'D' => OrderChange::Delete { id },
        b'U' => OrderChange::Replace {
            id,
            new_id: OrderId(number(bytes, 19, 8)),
            price: price(31),
            qty: shares(27),
        },
        _ => return None,
    })
}

/// Reads a message and says what it is.
pub fn read(bytes: &[u8], said: &mut Said) {
    match decode(bytes) {
        Ok(message) => {
            assert_eq!(message.as_bytes(), bytes);
            assert_eq!(message_len(bytes[0]), Some(bytes.len()));
            let locate = number(bytes, 1, 2) as u16;
            assert_eq!(message.stock_locate(), locate);
            assert_eq!(message.order_change(), change(bytes).map(|change| (locate, change)));
            let is_trade = matches!(
                message,
                Message::OrderExecuted(_)
                    | Message::OrderExecutedWithPrice(_)
                    | Message::NonCrossTrade(_)
                    | Message::CrossTrade(_)
            );
            assert!(is_trade || message.trade().is_none());
            assert!(message.trade().is_none_or(|(of, trade)| of == locate && trade.shares > 0));
            said.ok(std::str::from_utf8(&bytes[..1]).unwrap());
        }
        Err(error) => said.error(error.code()),
    }
}

/// One message.
pub struct Itch;

impl Target for Itch {
    const NAME: &'static str = "itch";
    const INPUT_BYTES_MAX: usize = 64;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        if random.one_in(2) {
            out.extend(message(random));
        } else {
            out.extend(random.pick(day(3)));
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        message_fields(fields, 0, fields.bytes.len());
    }

    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        read(bytes, said);
    }
}

/// A file, of stated lengths or of zeros in their place.
pub struct File<const STATED: bool> {
    whole: Vec<Result<(usize, usize), BinaryFileError>>,
    cut: Vec<Result<(usize, usize), BinaryFileError>>,
}

pub fn file<const STATED: bool>() -> File<STATED> {
    File { whole: Vec::new(), cut: Vec::new() }
}

/// Fields of messages that stand behind a length each.
pub fn block_fields(fields: &mut Fields<'_>, mut at: usize, is_stated: bool) {
    while let Some(stated) = fields.big(at, 2) {
        let known = fields.bytes.get(at + 2).and_then(|&first| message_len(first));
        let len = if is_stated { stated } else { known.unwrap_or(1) };
        fields.note(Kind::Unit, at, 2 + len);
        fields.note(Kind::Big, at, 2);
        message_fields(fields, at + 2, len);
        at += 2 + len;
    }
}

impl<const STATED: bool> Target for File<STATED> {
    const NAME: &'static str = if STATED { "binary_file" } else { "binary_file_zero" };
    const IS_RECORDED: bool = !STATED;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        for _ in 0..random.below(12) {
            let message = if random.one_in(3) { message(random) } else { random.pick(day(3)).clone() };
            let len = if STATED { message.len() as u16 } else { 0 };
            out.extend(len.to_be_bytes());
            out.extend(message);
        }
        if STATED && random.one_in(2) {
            out.extend([0, 0]);
        }
    }

    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        recordings.pieces(|form| form == Format::BinaryFile(LengthPrefix::Zero))
    }

    fn fields(fields: &mut Fields<'_>) {
        block_fields(fields, 0, STATED);
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let prefix = if STATED { LengthPrefix::Stated } else { LengthPrefix::Zero };
        let place = |message: &[u8]| (message.as_ptr() as usize - bytes.as_ptr() as usize, message.len());
        let Self { whole, cut } = self;
        whole.clear();
        cut.clear();
        let mut framer = BinaryFileFramer::new(prefix);
        let mut messages = framer.finish(bytes);
        let mut end = 0;
        while let Some(message) = messages.next() {
            assert!(messages.consumed() > end, "each outcome uses bytes up");
            end = messages.consumed();
            whole.push(message.map(place));
            match message {
                Ok(message) => {
                    assert_eq!(place(message).0 + message.len(), end);
                    read(message, said);
                }
                Err(error) => said.error(error.code()),
            }
        }
        assert_eq!(messages.consumed(), bytes.len());
        let is_ended = framer.is_ended();
        said.size(if is_ended { "ended" } else { "open" }, whole.len());
        assert!(whole.iter().rev().skip(1).all(Result::is_ok), "nothing follows an error");
        let mut framer = BinaryFileFramer::new(prefix);
        in_chunks(bytes, random, |piece, last| {
            let mut messages = if last { framer.finish(piece) } else { framer.messages(piece) };
            cut.extend(messages.by_ref().map(|message| message.map(place)));
            messages.consumed()
        });
        assert_eq!(cut, whole, "cut anywhere it reads the same");
        assert_eq!(framer.is_ended(), is_ended);
    }
}
