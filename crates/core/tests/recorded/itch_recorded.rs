//! The recorded ITCH sample, message for message, against what an independent reader counted and summed in it.

use std::collections::BTreeMap;

use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{Message, decode, message_len};
use depthwire_core::types::{OrderChange, Side};

use crate::expected::Itch;
use crate::{expected, files};

/// What a stream of messages holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    types: BTreeMap<char, u64>,
    timestamps: u64,
    locates: u64,
    added: [u64; 4],
    deleted: u64,
    executed: [u64; 2],
    reduced: u64,
    replaced: [u64; 4],
    traded_shares: u64,
    traded_prices: u64,
    matches: u64,
}

fn total(prefix: LengthPrefix, file: &[u8], chunk: usize) -> Totals {
    let mut totals = Totals::default();
    let mut framer = BinaryFileFramer::new(prefix);
    let mut pending: Vec<u8> = Vec::new();
    let mut pieces = file.chunks(chunk).peekable();
    while let Some(piece) = pieces.next() {
        pending.extend_from_slice(piece);
        let mut messages =
            if pieces.peek().is_none() { framer.finish(&pending) } else { framer.messages(&pending) };
        for message in messages.by_ref() {
            totals.add(decode(message.unwrap()).unwrap());
        }
        let consumed = messages.consumed();
        pending.drain(..consumed);
    }
    assert!(pending.is_empty());
    totals
}

impl Totals {
    fn add(&mut self, message: Message<'_>) {
        *self.types.entry(char::from(message.message_type())).or_default() += 1;
        self.timestamps += message.timestamp_ns();
        self.locates += u64::from(message.stock_locate());
        match message.order_change() {
            Some((_, OrderChange::Add { id, side, price, qty })) => {
                let parts = [id.0, u64::from(side == Side::Bid), qty.0 as u64, price.0 as u64];
                self.added.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
            }
            Some((_, OrderChange::Delete { id })) => self.deleted += id.0,
            Some((_, OrderChange::Execute { id, qty })) => {
                self.executed[0] += id.0;
                self.executed[1] += qty.0 as u64;
            }
            Some((_, OrderChange::Reduce { qty, .. } | OrderChange::Cancel { qty, .. })) => {
                self.reduced += qty.0 as u64
            }
            Some((_, OrderChange::Replace { id, new_id, price, qty })) => {
                let parts = [id.0, new_id.0, qty.0 as u64, price.0 as u64];
                self.replaced.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
            }
            Some((_, OrderChange::Modify { .. } | OrderChange::Upsert { .. } | OrderChange::Clear)) => {
                panic!("not in this feed")
            }
            None => {}
        }
        if let Some((_, trade)) = message.trade() {
            self.traded_shares += trade.shares;
            self.traded_prices += trade.price.map_or(0, |price| price.0 as u64);
            self.matches += trade.match_number;
        }
    }
}

#[test]
fn the_recorded_sample_holds_what_was_counted_in_it() {
    let Some(root) = files::root("the_recorded_sample_holds_what_was_counted_in_it") else { return };
    let set = expected::itch("nasdaq-sample");
    let Some(file) = files::read(&root.join(&set.files[0])) else { return };
    assert_eq!(LengthPrefix::detect(&file), Some(LengthPrefix::Zero));
    let totals = total(LengthPrefix::Zero, &file, file.len());
    let Itch { added, executed, replaced, .. } = set;
    assert_eq!(
        totals,
        Totals {
            types: set.types.iter().map(|of| (of.r#type, of.count)).collect(),
            timestamps: set.timestamps.0,
            locates: set.stock_locates,
            added: [added.references, added.buys, added.shares, added.prices],
            deleted: set.deleted_references,
            executed: [executed.references, executed.shares],
            reduced: set.cancelled_shares,
            replaced: [replaced.references, replaced.new_references, replaced.shares, replaced.prices],
            traded_shares: set.traded_shares,
            traded_prices: set.traded_prices,
            matches: set.match_numbers,
        }
    );
    assert_eq!(totals.types.values().sum::<u64>(), set.messages);
    for chunk in [1, 7, 64, 4_096, 65_537] {
        assert_eq!(total(LengthPrefix::Zero, &file, chunk), totals, "chunks of {chunk}");
    }
}

/// The twin: a file of every type, as often as its letter's number says, in both framings and any chunking.
#[test]
fn a_made_file_holds_what_was_put_into_it() {
    let (mut stated, mut zero) = (Vec::new(), Vec::new());
    let mut count = 0;
    for message_type in (0..=255).filter(|&message_type| message_len(message_type).is_some()) {
        let mut message = vec![0; message_len(message_type).unwrap()];
        message[0] = message_type;
        message[10] = 1;
        match message_type {
            b'A' | b'F' | b'P' => message[19] = b'B',
            b'C' => message[31] = b'Y',
            _ => {}
        }
        for _ in 0..message_type {
            count += 1;
            stated.extend_from_slice(&(message.len() as u16).to_be_bytes());
            stated.extend_from_slice(&message);
            zero.extend_from_slice(&[0, 0]);
            zero.extend_from_slice(&message);
        }
    }
    for (prefix, file) in [(LengthPrefix::Stated, stated), (LengthPrefix::Zero, zero)] {
        assert_eq!(LengthPrefix::detect(&file), Some(prefix));
        for chunk in [1, 3, 50, 52, 1_000, file.len()] {
            let totals = total(prefix, &file, chunk);
            assert_eq!((totals.types.len(), totals.timestamps), (23, count));
            assert!(totals.types.iter().all(|(&letter, &seen)| seen == u64::from(u32::from(letter))));
            assert_eq!(totals.added, [0, u64::from(b'A') + u64::from(b'F'), 0, 0]);
        }
    }
}
