//! Interleaved rounds of contenders, and what is said of their times.
//!
//! A shared machine drifts, so the contenders of one comparison take turns in one process: a round runs each of them
//! once, beginning with another one each time. A ratio is the median over rounds of two times of the same round.

use std::time::Duration;

/// One run of one contender.
#[derive(Debug)]
pub struct Run {
    /// Time of the measured part.
    pub elapsed: Duration,
    /// What came out.
    pub answer: String,
}

/// Something that is measured.
pub struct Contender<'a> {
    /// Its name.
    pub name: &'static str,
    /// Things done in one run.
    pub count: u64,
    /// What must come out.
    pub expected: String,
    /// Does them.
    pub run: Box<dyn FnMut() -> Run + 'a>,
}

/// The times of one contender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Nanoseconds for each thing done: the median of the fastest quarter of the rounds.
    pub ns: f64,
    /// Distance of the quartiles of all rounds, as a share of their median.
    pub spread: f64,
    /// Time of this one divided by the time of the first contender in the same round; the median over the rounds.
    pub ratio: f64,
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

/// Runs every contender once to warm it and then in `rounds` rounds. The answer of every run is compared.
pub fn measure(contenders: &mut [Contender<'_>], rounds: usize) -> Result<Vec<Times>, WrongAnswer> {
    let mut rows = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..=rounds {
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
    let counts: Vec<_> = contenders.iter().map(|contender| contender.count as f64).collect();
    Ok(rows.iter().zip(&counts).map(|(row, count)| times(row, *count, &rows[0], counts[0])).collect())
}

/// `row` and `base` hold nanoseconds for each thing, round by round; a run of them does as many as `counts` say.
fn times(row: &[f64], count: f64, base: &[f64], base_count: f64) -> Times {
    let mut sorted = row.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let mut ratios: Vec<_> =
        row.iter().zip(base).map(|(ns, base_ns)| ns * count / (base_ns * base_count)).collect();
    ratios.sort_by(f64::total_cmp);
    Times {
        ns: median(&sorted[..sorted.len().div_ceil(4)]),
        spread: (at(0.75) - at(0.25)) / at(0.5),
        ratio: median(&ratios),
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
        Contender { name, count: 10, expected: "x".to_owned(), run: Box::new(run) }
    }

    #[test]
    fn takes_the_median_of_the_fastest_quarter_and_ratios_of_the_same_round() {
        // The first time of each is the warm-up.
        let slow = contender("slow", &[9_000, 200, 400, 600, 800, 220, 240, 1_000, 1_200], &["x"]);
        let fast = contender("fast", &[9_000, 100, 200, 300, 400, 110, 120, 500, 600], &["x"]);
        let times = measure(&mut [slow, fast], 8).unwrap();
        assert_eq!((times[0].ns, times[0].ratio), (21.0, 1.0));
        assert_eq!((times[1].ns, times[1].ratio), (10.5, 0.5));
        assert_eq!(times[0].spread, times[1].spread);
    }

    #[test]
    fn one_wrong_answer_in_any_round_is_an_error() {
        let right = contender("right", &[100], &["x"]);
        let wrong = contender("wrong", &[1], &["x", "x", "x", "y"]);
        let got = measure(&mut [right, wrong], 8);
        assert_eq!(
            got,
            Err(WrongAnswer { contender: "wrong", expected: "x".to_owned(), got: "y".to_owned() })
        );
    }

    #[test]
    fn a_ratio_compares_whole_runs() {
        let base = contender("base", &[100], &["x"]);
        let half = Contender { count: 20, ..contender("half", &[50], &["x"]) };
        let times = measure(&mut [base, half], 1).unwrap();
        assert_eq!((times[1].ns, times[1].ratio), (2.5, 0.5));
    }
}
