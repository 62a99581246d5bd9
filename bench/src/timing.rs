//! Interleaved rounds of contenders, and what is said of their times.
//!
//! A shared machine drifts, so the contenders of one comparison take turns in one process: a round runs each of them
//! once, beginning with another one each time. A ratio is the median over rounds of two times of the same round.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One run of one contender.
#[derive(Debug)]
pub struct Run {
    /// Time of the measured part.
    pub elapsed: Duration,
    /// What came out.
    pub answer: String,
}

impl Run {
    /// A run that came to nothing; `what` is an answer that nobody expects.
    #[must_use]
    pub fn failed(what: impl Into<String>) -> Self {
        Self { elapsed: Duration::ZERO, answer: what.into() }
    }
}

/// Does the measured part of a run, between two readings of the clock.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let made = measured(work);
    (start.elapsed(), made)
}

/// As [`timed`] for something short, of which the two readings of the clock would be a good part: what they cost just
/// before is taken off.
pub fn timed_short<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let first = Instant::now();
    let second = Instant::now();
    let made = measured(work);
    (second.elapsed().saturating_sub(second.duration_since(first)), made)
}

/// What an instruction counter counts: it is switched on by the name of this function.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    let made = work();
    for _ in 0..PLANTED.load(Ordering::Relaxed) {
        std::hint::black_box(());
    }
    made
}

/// Turns of an empty loop that each measured part is slowed by.
static PLANTED: AtomicU64 = AtomicU64::new(0);

/// Slows the measured part of every run from now on, to prove that a gate sees it. 0 slows nothing.
pub fn plant(turns: u64) {
    PLANTED.store(turns, Ordering::Relaxed);
}

/// Something that is measured.
pub struct Contender<'a> {
    /// Its name.
    pub name: &'static str,
    /// Things done in one run.
    pub count: u64,
    /// What must come out.
    pub expected: String,
    /// What a reader must know to compare it with the others; mostly nothing.
    pub note: String,
    /// Does them.
    pub run: Box<dyn FnMut() -> Run + 'a>,
}

impl<'a> Contender<'a> {
    /// Something that does `count` things in a run and then answers `expected`.
    pub fn new(name: &'static str, count: u64, expected: String, run: impl FnMut() -> Run + 'a) -> Self {
        Self { name, count, expected, note: String::new(), run: Box::new(run) }
    }

    /// With a note.
    #[must_use]
    pub fn noted(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// How many rounds: `max`, or fewer where `budget` is used up, but never fewer than `min`.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// Fewest.
    pub min: usize,
    /// Most.
    pub max: usize,
    /// Time of all of them, with what is not measured.
    pub budget: Duration,
}

/// The times of one contender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Nanoseconds for each thing done: the median of the fastest quarter of the rounds.
    pub ns: f64,
    /// Distance of the quartiles of all rounds, as a share of their median.
    pub spread: f64,
    /// Time for each thing done, divided by that of the first contender in the same round; the median over the rounds.
    pub ratio: f64,
    /// Rounds behind the figures.
    pub rounds: usize,
}

/// A contender that came to another answer. Its times are worth nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongAnswer {
    /// Whose.
    pub contender: &'static str,
    /// What must come out.
    pub expected: String,
    /// What came out.
    pub got: String,
}

/// Runs every contender once to warm it and then in rounds. The answer of every run is compared.
///
/// # Errors
/// The first wrong answer.
pub fn measure(contenders: &mut [Contender<'_>], rounds: Rounds) -> Result<Vec<Times>, WrongAnswer> {
    let mut rows = vec![Vec::with_capacity(rounds.max); contenders.len()];
    let started = Instant::now();
    for round in 0..=rounds.max {
        if round > rounds.min && started.elapsed() > rounds.budget {
            break;
        }
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let contender = &mut contenders[index];
            let Run { elapsed, answer } = (contender.run)();
            if answer != contender.expected {
                let Contender { name, expected, .. } = contender;
                return Err(WrongAnswer { contender: name, expected: expected.clone(), got: answer });
            }
            if round > 0 {
                rows[index].push(elapsed.as_nanos() as f64 / contender.count as f64);
            }
        }
    }
    Ok(rows.iter().map(|row| times(row, &rows[0])).collect())
}

/// `row` and `base` hold nanoseconds for each thing, round by round.
fn times(row: &[f64], base: &[f64]) -> Times {
    let mut sorted = row.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let mut ratios: Vec<_> = row.iter().zip(base).map(|(ns, base_ns)| ns / base_ns).collect();
    ratios.sort_by(f64::total_cmp);
    Times {
        ns: median(&sorted[..sorted.len().div_ceil(4)]),
        spread: (at(0.75) - at(0.25)) / at(0.5),
        ratio: median(&ratios),
        rounds: row.len(),
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(
        name: &'static str,
        ns: &'static [u64],
        answers: &'static [&'static str],
    ) -> Contender<'static> {
        let mut round = 0;
        let run = move || {
            let answer = answers[round.min(answers.len() - 1)].to_owned();
            round += 1;
            Run { elapsed: Duration::from_nanos(ns[(round - 1) % ns.len()]), answer }
        };
        Contender::new(name, 10, "x".to_owned(), run)
    }

    fn rounds(max: usize) -> Rounds {
        Rounds { min: 1, max, budget: Duration::from_secs(60) }
    }

    #[test]
    fn takes_the_median_of_the_fastest_quarter_and_ratios_of_the_same_round() {
        // The first time of each is the warm-up.
        let slow = contender("slow", &[9_000, 200, 400, 600, 800, 220, 240, 1_000, 1_200], &["x"]);
        let fast = contender("fast", &[9_000, 100, 200, 300, 400, 110, 120, 500, 600], &["x"]);
        let times = measure(&mut [slow, fast], rounds(8)).unwrap();
        assert_eq!((times[0].ns, times[0].ratio), (21.0, 1.0));
        assert_eq!((times[1].ns, times[1].ratio), (10.5, 0.5));
        assert_eq!(times[0].spread, times[1].spread);
    }

    #[test]
    fn one_wrong_answer_in_any_round_is_an_error() {
        let right = contender("right", &[100], &["x"]);
        let wrong = contender("wrong", &[1], &["x", "x", "x", "y"]);
        let got = measure(&mut [right, wrong], rounds(8));
        assert_eq!(
            got,
            Err(WrongAnswer { contender: "wrong", expected: "x".to_owned(), got: "y".to_owned() })
        );
    }

    #[test]
    fn a_ratio_compares_what_each_thing_costs() {
        let base = contender("base", &[100], &["x"]);
        let half = Contender { count: 20, ..contender("half", &[50], &["x"]) };
        let times = measure(&mut [base, half], rounds(1)).unwrap();
        assert_eq!((times[1].ns, times[1].ratio), (2.5, 0.25));
    }

    #[test]
    fn a_used_up_budget_ends_the_rounds_but_not_before_the_fewest() {
        let times = measure(
            &mut [contender("one", &[100], &["x"])],
            Rounds { min: 3, max: 9, budget: Duration::ZERO },
        );
        assert_eq!(times.unwrap()[0].rounds, 3);
    }
}
