//! What a level change costs the book: every update of a workload applied, with the exact best bid and ask read after
//! each message, on decoded updates. A regression here is paid by every reader of every book.

use std::time::Instant;

use depthwire_core::book::{L2Book, NaiveBook};

use crate::answer::{Book, of_book, replay};
use crate::timing::{Contender, Run};
use crate::workload::Workload;

/// The books in comparison; the first is the baseline.
pub const BOOKS: [&str; 2] = ["naive", "ladder"];

/// Contenders over one workload. Loading the snapshot and the digest are outside the time; a book keeps its memory from
/// one run to the next.
pub fn contenders(workload: &Workload) -> Vec<Contender<'_>> {
    BOOKS.into_iter().filter_map(|name| contender(name, workload)).collect()
}

/// One of [`BOOKS`].
pub fn contender<'a>(name: &str, workload: &'a Workload) -> Option<Contender<'a>> {
    match name {
        "naive" => Some(passes::<NaiveBook>("naive", workload)),
        "ladder" => Some(passes::<L2Book>("ladder", workload)),
        _ => None,
    }
}

fn passes<'a, B: Book + 'a>(name: &'static str, workload: &'a Workload) -> Contender<'a> {
    let mut book = B::new(workload.spec);
    let run = move || {
        if let Err(error) = book.load(&workload.snapshot, workload.known_to) {
            return Run { elapsed: std::time::Duration::ZERO, answer: error.code().to_owned() };
        }
        let start = Instant::now();
        let tops = replay(&mut book, workload);
        let elapsed = start.elapsed();
        Run { elapsed, answer: of_book(&book, tops, workload) }
    };
    let (count, expected) = (workload.applied_level_changes, workload.answer.clone());
    Contender { name, count, expected, run: Box::new(run) }
}
