//! What a message of a whole market costs, from bytes to books: BinaryFILE framing, decoding, order-by-order books with
//! queues, and the exact best bid and ask of the book that it touched.

use depthwire_core::book::l3::{BookIndex, L3Books, NaiveL3};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch;
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
            passes::<L3Books>("L3Books ahead", stream, replay_ahead)?,
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

/// Changes that are decoded ahead of the one that is applied, a power of two.
const AHEAD: usize = 16;

/// How many changes before it is applied the levels of a change, and then the level that it joins, are fetched.
const LEVELS_AHEAD: usize = 10;
const JOINED_AHEAD: usize = 5;

/// As [`replay`], with changes decoded ahead so that the cache lines of each are on their way when it is applied.
#[inline(never)]
pub fn replay_ahead(books: &mut L3Books, bytes: &[u8]) -> (u64, u64) {
    let (mut hash, mut errors) = (0, 0);
    let nothing = (BookIndex(0), OrderChange::Delete { id: depthwire_core::types::OrderId(0) });
    let mut ring = [nothing; AHEAD];
    let mut decoded = 0usize;
    let apply = |books: &mut L3Books, hash: u64, (book, change): &(BookIndex, OrderChange)| {
        let applied = books.apply(*book, change).is_ok();
        mix_bbo(hash, books.bbo(*book), applied)
    };
    for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(bytes) {
        let Ok(Ok(message)) = message.map(itch::decode) else {
            errors += 1;
            continue;
        };
        let Some((locate, change)) = message.order_change() else { continue };
        if decoded >= AHEAD {
            hash = apply(books, hash, &ring[decoded % AHEAD]);
        }
        let book = BookIndex(locate.into());
        books.prefetch(book, &change);
        ring[decoded % AHEAD] = (book, change);
        decoded += 1;
        let (book, change) = &ring[decoded.wrapping_sub(AHEAD - LEVELS_AHEAD) % AHEAD];
        books.prefetch_levels(*book, change);
        let (book, change) = &ring[decoded.wrapping_sub(AHEAD - JOINED_AHEAD) % AHEAD];
        books.prefetch_joined(*book, change);
    }
    for left in decoded.saturating_sub(AHEAD)..decoded {
        hash = apply(books, hash, &ring[left % AHEAD]);
    }
    (hash, errors)
}
