//! What a message of an ITCH file costs to find and to read, without a book: every number that an order message holds,
//! added up.

use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{self, Message};
use depthwire_core::types::Side;

use crate::timing::{Contender, Run, timed};
use crate::workload::{ItchStream, Workload};

/// Contenders over one workload; finding the messages alone is the baseline.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = workload.itch.as_ref()?;
    Some(vec![framing(stream), decoding(stream)])
}

fn framing(stream: &ItchStream) -> Contender<'_> {
    let run = || {
        let (elapsed, (messages, bytes)) = timed(|| {
            let (mut messages, mut bytes) = (0u64, 0usize);
            for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(stream.measured()).flatten() {
                messages += 1;
                bytes += message.len();
            }
            (messages, bytes)
        });
        Run { elapsed, answer: format!("messages {messages}, bytes {bytes}") }
    };
    let bytes = stream.measured().len() - 2 * stream.messages as usize;
    let expected = format!("messages {}, bytes {bytes}", stream.messages);
    Contender::new("framing", stream.messages, expected, run)
}

fn decoding(stream: &ItchStream) -> Contender<'_> {
    let run = || {
        let (elapsed, sum) = timed(|| sum(stream.measured()));
        Run { elapsed, answer: answer(sum) }
    };
    Contender::new("depthwire", stream.messages, answer(plain_sum(stream.measured())), run)
}

/// The text of a sum.
#[must_use]
pub fn answer(sum: u64) -> String {
    format!("sum {sum:016x}")
}

#[inline(never)]
fn sum(bytes: &[u8]) -> u64 {
    let mut sum = 0u64;
    for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(bytes).flatten() {
        let Ok(message) = itch::decode(message) else { continue };
        sum = sum.wrapping_add(sum_of(&message));
    }
    sum
}

/// What is added up of a message: locate and time of all, and the numbers of those that speak of orders and executions.
#[inline]
fn sum_of(message: &Message<'_>) -> u64 {
    let header = u64::from(message.stock_locate()).wrapping_add(message.timestamp_ns());
    let numbers = match message {
        Message::AddOrder(add) => order(add.reference(), add.side(), add.shares(), add.price()),
        Message::AddOrderAttributed(add) => order(add.reference(), add.side(), add.shares(), add.price()),
        Message::OrderExecuted(done) => added([done.reference(), done.shares().into(), done.match_number()]),
        Message::OrderExecutedWithPrice(done) => {
            added([done.reference(), done.shares().into(), done.match_number(), done.price().into()])
        }
        Message::OrderCancel(less) => added([less.reference(), less.shares().into()]),
        Message::OrderDelete(delete) => delete.reference(),
        Message::OrderReplace(new) => {
            added([new.original_reference(), new.new_reference(), new.shares().into(), new.price().into()])
        }
        Message::NonCrossTrade(trade) => {
            added([trade.shares().into(), trade.price().into(), trade.match_number()])
        }
        _ => 0,
    };
    header.wrapping_add(numbers)
}

/// The numbers of an order that joins.
#[inline]
#[must_use]
pub fn order(reference: u64, side: Side, shares: u32, price: u32) -> u64 {
    added([reference, u64::from(side == Side::Bid), shares.into(), price.into()])
}

/// The sum of numbers, modulo 2^64.
#[inline]
#[must_use]
pub fn added<const N: usize>(numbers: [u64; N]) -> u64 {
    numbers.into_iter().fold(0, u64::wrapping_add)
}

/// The same sum without the decoder, by the offsets of the specification.
#[must_use]
pub fn plain_sum(mut bytes: &[u8]) -> u64 {
    let mut sum = 0u64;
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let Some((message, rest)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { break };
        bytes = rest;
        let number = |at: usize, len: usize| {
            let field = message.get(at..at + len).unwrap_or_default();
            field.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte))
        };
        let is_buy = || u64::from(message.get(19) == Some(&b'B'));
        let numbers = match message.first() {
            Some(b'A' | b'F') => [number(11, 8), is_buy(), number(20, 4), number(32, 4)],
            Some(b'E') => [number(11, 8), number(19, 4), number(23, 8), 0],
            Some(b'C') => [number(11, 8), number(19, 4), number(23, 8), number(32, 4)],
            Some(b'X') => [number(11, 8), number(19, 4), 0, 0],
            Some(b'D') => [number(11, 8), 0, 0, 0],
            Some(b'U') => [number(11, 8), number(19, 8), number(27, 4), number(31, 4)],
            Some(b'P') => [number(20, 4), number(32, 4), number(36, 8), 0],
            _ => [0; 4],
        };
        sum = sum.wrapping_add(added([number(1, 2), number(5, 6), added(numbers)]));
    }
    sum
}
