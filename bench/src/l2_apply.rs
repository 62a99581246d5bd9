//! What a level change costs the book: every update of a workload applied, with the exact best bid and ask read after
//! each message, on decoded updates. A regression here is paid by every reader of every book.

use depthwire_core::book::{L2Book, NaiveBook};

use crate::answer::Book;
use crate::timing::{Contender, Run, timed};
use crate::workload::{LevelStream, Workload};

/// Contenders over one workload, the ordered maps first. Loading the snapshot and the digest are outside the time; a
/// book keeps its memory from one run to the next.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = workload.levels.as_ref()?;
    Some(vec![passes::<NaiveBook>("ordered map", stream), passes::<L2Book>("ladder", stream)])
}

fn passes<'a, B: Book + 'a>(name: &'static str, stream: &'a LevelStream) -> Contender<'a> {
    let mut books: Vec<B> = stream.books.iter().map(|book| B::new(book.spec)).collect();
    let run = move || {
        if let Err(code) = stream.reload(&mut books) {
            return Run::failed(code);
        }
        let (elapsed, tops) = timed(|| stream.replay(&mut books));
        Run { elapsed, answer: stream.answer_of(tops, &stream.digest_of(&books)) }
    };
    Contender::new(name, stream.level_changes, stream.answer.clone(), run)
}
