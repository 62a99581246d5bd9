//! Decoders of others on the same bytes: the numbers that ours adds up, added up.

use dbn::decode::DbnDecoder;
use dbn::{MboMsg, RecordRef};
use depthwire_bench::itch_decode::{added, order, plain_sum};
use depthwire_bench::timing::{Contender, Run, timed};
use depthwire_bench::workload::Workload;
use depthwire_bench::{dbn_decode, itch_decode};
use depthwire_core::types::Side;
use itchy::{Body, MessageStream};

/// `itchy` on ITCH files, from memory. It ends the program at a type that it does not know, so these are left out.
pub fn itch(workload: &Workload) -> Vec<Contender<'_>> {
    let Some(stream) = &workload.itch else { return Vec::new() };
    let (known, left_out) = known_to_itchy(stream.measured());
    let expected = itch_decode::answer(plain_sum(&known));
    let note = match left_out {
        0 => String::new(),
        _ => format!("without {left_out} messages of types at which it ends the program"),
    };
    let run = move || {
        let (elapsed, sum) = timed(|| itchy_sum(&known));
        Run { elapsed, answer: itch_decode::answer(sum) }
    };
    vec![Contender::new("itchy", stream.messages - left_out, expected, run).noted(note)]
}

/// The messages without those that `itchy` has no case for, and how many these are.
fn known_to_itchy(mut bytes: &[u8]) -> (Vec<u8>, u64) {
    let (mut known, mut left_out) = (Vec::with_capacity(bytes.len()), 0);
    while let [high, low, message_type, ..] = bytes {
        let len = 2 + usize::from(u16::from_be_bytes([*high, *low]));
        let (message, rest) = bytes.split_at(len.min(bytes.len()));
        if b"ABCDEFHIJKLNPQRSUVWXY".contains(message_type) {
            known.extend_from_slice(message);
        } else {
            left_out += 1;
        }
        bytes = rest;
    }
    (known, left_out)
}

#[inline(never)]
fn itchy_sum(bytes: &[u8]) -> u64 {
    let mut sum = 0u64;
    for message in MessageStream::from_reader(bytes) {
        let Ok(message) = message else { continue };
        let numbers = match message.body {
            Body::AddOrder(add) => {
                let side = if add.side == itchy::Side::Buy { Side::Bid } else { Side::Ask };
                order(add.reference, side, add.shares, add.price.raw())
            }
            Body::OrderExecuted { reference, executed, match_number } => {
                added([reference, executed.into(), match_number])
            }
            Body::OrderExecutedWithPrice { reference, executed, match_number, price, .. } => {
                added([reference, executed.into(), match_number, price.raw().into()])
            }
            Body::OrderCancelled { reference, cancelled } => added([reference, cancelled.into()]),
            Body::DeleteOrder { reference } => reference,
            Body::ReplaceOrder(new) => {
                added([new.old_reference, new.new_reference, new.shares.into(), new.price.raw().into()])
            }
            Body::NonCrossTrade(trade) => {
                added([trade.shares.into(), trade.price.raw().into(), trade.match_number])
            }
            _ => 0,
        };
        sum = sum.wrapping_add(added([message.stock_locate.into(), message.timestamp, numbers]));
    }
    sum
}

/// The decoder of the crate `dbn`, from memory, by references into its buffer.
pub fn databento(workload: &Workload) -> Vec<Contender<'_>> {
    let Some(stream) = &workload.dbn else { return Vec::new() };
    let run = || {
        let (elapsed, sum) = timed(|| dbn_sum(&stream.bytes));
        Run { elapsed, answer: dbn_decode::answer(sum) }
    };
    let expected = dbn_decode::answer(dbn_decode::plain_sum(&stream.bytes));
    vec![Contender::new("dbn", stream.records, expected, run)]
}

/// The same from the day's bytes in zstd, as its files lie on the disk.
pub fn packed_databento(workload: &Workload) -> Vec<Contender<'_>> {
    let Some(stream) = &workload.dbn else { return Vec::new() };
    let Ok(packed) = zstd::bulk::compress(&stream.bytes, 3) else { return Vec::new() };
    let note = format!("{} records in {} bytes", stream.records, packed.len());
    let run = move || {
        let (elapsed, sum) = timed(|| match DbnDecoder::with_zstd(packed.as_slice()) {
            Ok(decoder) => sum_of(decoder),
            Err(_) => 0,
        });
        Run { elapsed, answer: dbn_decode::answer(sum) }
    };
    let expected = dbn_decode::answer(dbn_decode::plain_sum(&stream.bytes));
    vec![Contender::new("dbn+zstd", stream.records, expected, run).noted(note)]
}

#[inline(never)]
fn dbn_sum(bytes: &[u8]) -> u64 {
    DbnDecoder::new(bytes).map_or(0, sum_of)
}

#[inline(always)]
fn sum_of<R: std::io::Read>(mut decoder: DbnDecoder<R>) -> u64 {
    let mut sum = 0u64;
    while let Ok(Some(record)) = decoder.decode_ref() {
        let record: RecordRef<'_> = record;
        let Some(order) = record.get::<MboMsg>() else { continue };
        sum = [
            order.hd.ts_event,
            order.hd.instrument_id.into(),
            order.order_id,
            order.price as u64,
            order.size.into(),
            order.action as u64,
            u64::from(order.side as u8 == b'B'),
            order.flags.raw().into(),
            order.ts_recv,
            order.sequence.into(),
        ]
        .into_iter()
        .fold(sum, u64::wrapping_add);
    }
    sum
}
