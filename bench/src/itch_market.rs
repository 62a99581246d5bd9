//! What a message of a whole market costs, from bytes to books: BinaryFILE framing, decoding, order-by-order books with
//! queues, and the exact best bid and ask of the book that it touched.

use depthwire_core::book::l3::{BookIndex, L3Books, Lookahead, NaiveL3};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch;
use depthwire_core::types::OrderChange;

use crate::l3_answer::{OrderBooks, mix_bbo, replay_itch};
use crate::l3_apply::empty;
use crate::timing::{Contender, Run, timed};
use crate::workload::{ItchStream, Workload};

/// Contenders over one workload, maps and lists first. The opening, which fills the books, is outside the time.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let stream = workload.itch.as_ref()?;
    let all = || {
        Ok(vec![
            passes::<NaiveL3>("map + list", stream, replay_itch)?,
            passes::<L3Books>("L3Books", stream, replay_itch)?,
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

/// Changes that are decoded before any of them is applied.
const RUN: usize = 1_024;

/// As [`replay_itch`], run by run: so many changes are decoded, and applied with the cache lines of the coming ones on their way.
#[inline(never)]
pub fn replay_ahead(books: &mut L3Books, bytes: &[u8]) -> (u64, u64) {
    let (mut hash, mut errors) = (0, 0);
    let mut run = Vec::with_capacity(RUN);
    let mut framer = BinaryFileFramer::new(LengthPrefix::Stated);
    let mut messages = framer.messages(bytes).map(|message| message.map(itch::decode));
    loop {
        run.clear();
        while run.len() < RUN
            && let Some(message) = messages.next()
        {
            let Ok(Ok(message)) = message else {
                errors += 1;
                continue;
            };
            run.extend(message.order_change().map(|(locate, change)| (BookIndex(locate.into()), change)));
        }
        if run.is_empty() {
            return (hash, errors);
        }
        hash = apply_run(books, hash, &run);
    }
}

#[inline(never)]
fn apply_run(books: &mut L3Books, mut hash: u64, run: &[(BookIndex, OrderChange)]) -> u64 {
    let mut ahead = Lookahead::new(books, run.iter().map(|(book, change)| (*book, change)));
    for (book, change) in run {
        ahead.step(books);
        let applied = books.apply(*book, change).is_ok();
        hash = mix_bbo(hash, books.bbo(*book), applied);
    }
    hash
}
