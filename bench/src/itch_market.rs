//! What a message of a whole market costs, from bytes to books: BinaryFILE framing, decoding, order-by-order books with
//! queues, and the exact best bid and ask of the book that it touched.

use depthwire_core::book::l3::{BookIndex, L3Books, NaiveL3};
use depthwire_core::decode::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::decode::itch;
use depthwire_core::types::OrderChange;

use crate::l3_answer::{OrderBooks, mix_bbo};
use crate::l3_apply::empty;
use crate::timing::{Contender, Run, timed};
use crate::workload::{ItchStream, Workload};

/// Contenders over one workload, maps and lists first. The opening, which fills the books, is outside the time.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let stream = workload.itch.as_ref()?;
    let all = || {
        Ok(vec![
            passes::<NaiveL3>("map + list", stream, replay)?,
            passes::<L3Books>("L3Books", stream, replay)?,
            passes::<L3Books>("L3Books in batches", stream, replay_ahead)?,
        ])
    };
    Some(all())
}

fn passes<'a, B: OrderBooks + 'a>(
    name: &'static str,
    stream: &'a ItchStream,
    replay: fn(&mut B, &[u8]) -> (u64, u64),
) -> Result<Contender<'a>, String> {
    let mut books = B::open_all(&stream.spec, &stream.books)?;
    let run = move || {
        empty(&mut books, stream.books.len());
        replay(&mut books, stream.lead());
        let (elapsed, (tops, errors)) = timed(|| replay(&mut books, stream.measured()));
        if errors > 0 {
            return Run::failed(format!("{errors} messages that cannot be read"));
        }
        Run { elapsed, answer: stream.answer_of(&books, tops) }
    };
    Ok(Contender::new(name, stream.messages, stream.answer.clone(), run))
}

/// Applies message by message. Returns a hash over the top after each change, and the messages that cannot be read.
#[inline(never)]
pub fn replay<B: OrderBooks>(books: &mut B, bytes: &[u8]) -> (u64, u64) {
    let (mut hash, mut errors) = (0, 0);
    for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(bytes) {
        let Ok(Ok(message)) = message.map(itch::decode) else {
            errors += 1;
            continue;
        };
        if let Some((locate, change)) = message.order_change() {
            let book = BookIndex(locate.into());
            let applied = books.apply(book, &change);
            hash = mix_bbo(hash, books.bbo(book), applied);
        }
    }
    (hash, errors)
}

/// Changes that are decoded before the first of them is applied: some 15 kB.
const BATCH: usize = 256;

/// As [`replay`], in batches: changes are decoded first and then applied together, so that the books fetch the cache lines
/// of each one while those before it are applied.
#[inline(never)]
pub fn replay_ahead(books: &mut L3Books, bytes: &[u8]) -> (u64, u64) {
    let (mut hash, mut errors) = (0, 0);
    let mut batch = Vec::with_capacity(BATCH);
    let mut apply = |books: &mut L3Books, batch: &mut Vec<(BookIndex, OrderChange)>| {
        books.apply_all(batch, |books, at, outcome| {
            if let Some((book, _)) = batch.get(at) {
                hash = mix_bbo(hash, books.bbo(*book), outcome.is_ok());
            }
        });
        batch.clear();
    };
    for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(bytes) {
        let Ok(Ok(message)) = message.map(itch::decode) else {
            errors += 1;
            continue;
        };
        if let Some((locate, change)) = message.order_change() {
            batch.push((BookIndex(locate.into()), change));
            if batch.len() == BATCH {
                apply(books, &mut batch);
            }
        }
    }
    apply(books, &mut batch);
    (hash, errors)
}
