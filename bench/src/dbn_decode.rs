//! What an order record of a DBN stream costs to find and to read, without a book: every number of it, added up.

use depthwire_core::framing::dbn::{DbnFramer, Mbo, Record};
use depthwire_core::types::Side;

use crate::timing::{Contender, Run, timed};
use crate::workload::{DbnStream, Workload};

/// Contenders over one workload; the same fields read by offset, without any check, are the baseline.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = workload.dbn.as_ref()?;
    Some(vec![contender("by offset", stream, plain_sum), contender("depthwire", stream, sum)])
}

fn contender<'a>(name: &'static str, stream: &'a DbnStream, sum: fn(&[u8]) -> u64) -> Contender<'a> {
    let run = move || {
        let (elapsed, sum) = timed(|| sum(&stream.bytes));
        Run { elapsed, answer: answer(sum) }
    };
    Contender::new(name, stream.records, answer(plain_sum(&stream.bytes)), run)
}

/// The text of a sum.
#[must_use]
pub fn answer(sum: u64) -> String {
    format!("sum {sum:016x}")
}

#[inline(never)]
fn sum(bytes: &[u8]) -> u64 {
    let mut sum = 0u64;
    for entry in DbnFramer::new().records(bytes) {
        if let Ok(Record::Mbo(order)) = entry.record {
            sum = sum.wrapping_add(sum_of(order));
        }
    }
    sum
}

#[inline]
fn sum_of(order: Mbo<'_>) -> u64 {
    let header = order.header();
    [
        header.ts_event,
        u64::from(header.instrument_id),
        order.order_id(),
        order.price() as u64,
        order.size().into(),
        order.action().into(),
        u64::from(order.side() == Some(Side::Bid)),
        order.flags().0.into(),
        order.ts_recv(),
        order.sequence().into(),
    ]
    .into_iter()
    .fold(0, u64::wrapping_add)
}

/// The same sum by the offsets of the layout, over records of 56 bytes behind the metadata.
#[must_use]
pub fn plain_sum(bytes: &[u8]) -> u64 {
    let metadata = bytes.get(4..8).and_then(|len| len.try_into().ok()).map_or(0, u32::from_le_bytes);
    let records = bytes.get(8 + metadata as usize..).unwrap_or_default();
    let mut sum = 0u64;
    for record in records.as_chunks::<56>().0 {
        let number = |at: usize, len: usize| {
            let mut wide = [0; 8];
            wide[..len].copy_from_slice(&record[at..at + len]);
            u64::from_le_bytes(wide)
        };
        let fields = [
            number(8, 8),
            number(4, 4),
            number(16, 8),
            number(24, 8),
            number(32, 4),
            number(38, 1),
            u64::from(record[39] == b'B'),
            number(36, 1),
            number(40, 8),
            number(52, 4),
        ];
        sum = fields.into_iter().fold(sum, u64::wrapping_add);
    }
    sum
}
