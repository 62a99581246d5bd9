//! What a change of an order costs the books, queues kept: every change of a workload applied from empty books on, with
//! the exact best bid and ask read after each, on decoded changes.

use depthwire_core::book::l3::{BookIndex, L3Books, NaiveL3};
use depthwire_core::types::OrderChange;

use crate::l3_answer::{OrderBooks, answer_of, replay};
use crate::timing::{Contender, Run, timed};
use crate::workload::{OrderStream, Workload};

/// Contenders over one workload, maps and lists first. Emptying the books, filling them with the workload's lead and
/// the answer are outside the time; books keep their memory from one run to the next.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let stream = workload.orders.as_ref()?;
    let both = || Ok(vec![passes::<NaiveL3>("map + list", stream)?, passes::<L3Books>("L3Books", stream)?]);
    Some(both())
}

fn passes<'a, B: OrderBooks + 'a>(
    name: &'static str,
    stream: &'a OrderStream,
) -> Result<Contender<'a>, String> {
    let mut books = B::open_all(&stream.spec, &stream.books)?;
    let run = move || {
        empty(&mut books, stream.books.len());
        replay(&mut books, stream.lead());
        let (elapsed, tops) = timed(|| replay(&mut books, stream.measured()));
        Run { elapsed, answer: answer_of(&books, tops, stream.books.len()) }
    };
    Ok(Contender::new(name, stream.measured().len() as u64, stream.answer.clone(), run))
}

/// Empties all books.
pub fn empty<B: OrderBooks>(books: &mut B, books_len: usize) {
    for book in 0..books_len {
        books.apply(BookIndex(book as u32), &OrderChange::Clear);
    }
}
