//! Decoders of others on the same bytes: the numbers that ours adds up, added up.

use dbn::decode::DbnDecoder;
use dbn::{MboMsg, RecordRef};
use depthwire_bench::itch_decode::{added, order, plain_sum};
use depthwire_bench::timing::{Contender, Run, timed};
use depthwire_bench::workload::Workload;
use depthwire_bench::{dbn_decode, itch_decode};
use depthwire_core::types::Side;
use itchy::{Body, MessageStream};

/// `itchy` on ITCH files, from memory.
pub fn itch(workload: &Workload) -> Vec<Contender<'_>> {
    let Some(stream) = &workload.itch else { return Vec::new() };
    let run = || {
        let (elapsed, sum) = timed(|| itchy_sum(stream.measured()));
        Run { elapsed, answer: itch_decode::answer(sum) }
    };
    let expected = itch_decode::answer(plain_sum(stream.measured()));
    vec![Contender::new("itchy", stream.messages, expected, run)]
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

#[inline(never)]
fn dbn_sum(bytes: &[u8]) -> u64 {
    let mut sum = 0u64;
    let Ok(mut decoder) = DbnDecoder::new(bytes) else { return 0 };
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
