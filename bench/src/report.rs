//! Rows: printed one a line, and as JSON.

use std::fmt::Write;

use crate::timing::{Contender, Times};

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which benchmark.
    pub bench: &'static str,
    /// Over what.
    pub workload: &'static str,
    /// Of whom.
    pub contender: &'static str,
    /// What the figure counts.
    pub unit: &'static str,
    /// The figure; where it was timed, from the median of the fastest quarter of the rounds. None: see the note.
    pub median: Option<f64>,
    /// Distance of the quartiles of all rounds, as a share of their median. None where nothing was timed.
    pub spread: Option<f64>,
    /// Time divided by the baseline's. None where nothing was timed.
    pub ratio: Option<f64>,
    /// Rounds behind the figure. None where nothing was timed.
    pub rounds: Option<usize>,
    /// What came out.
    pub answer: String,
    /// What a reader must know; mostly nothing.
    pub note: String,
}

impl Row {
    /// A row of something timed; `figure` is what its time comes to in `unit`.
    #[must_use]
    pub fn timed(
        (bench, workload): (&'static str, &'static str),
        contender: &Contender<'_>,
        times: Times,
        (unit, figure): (&'static str, f64),
    ) -> Self {
        Self {
            bench,
            workload,
            contender: contender.name,
            unit,
            median: Some(figure),
            spread: Some(times.spread),
            ratio: Some(times.ratio),
            rounds: Some(times.rounds),
            answer: contender.expected.clone(),
            note: contender.note.clone(),
        }
    }

    /// A row of something counted.
    #[must_use]
    pub fn counted(
        (bench, workload): (&'static str, &'static str),
        contender: &'static str,
        (unit, figure): (&'static str, f64),
        answer: String,
    ) -> Self {
        let median = Some(figure);
        let (spread, ratio, rounds, note) = (None, None, None, String::new());
        Self { bench, workload, contender, unit, median, spread, ratio, rounds, answer, note }
    }

    /// A row of what could not take part, and why.
    #[must_use]
    pub fn absent(
        (bench, workload): (&'static str, &'static str),
        contender: &'static str,
        unit: &'static str,
        why: &str,
    ) -> Self {
        let (median, spread, ratio, rounds, answer) = (None, None, None, None, String::new());
        Self { bench, workload, contender, unit, median, spread, ratio, rounds, answer, note: why.to_owned() }
    }

    /// The line that people read.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { bench, workload, contender, unit, median, spread, ratio, answer, note, .. } = self;
        let figure = match median {
            None => "-".to_owned(),
            Some(median) if *median < 1_000.0 => format!("{median:.2}"),
            Some(median) => format!("{median:.0}"),
        };
        // The first digits of an answer tell two of them apart; the whole one is in the JSON.
        let answer: String = answer.chars().take(40).collect();
        let spread = spread.map(|share| format!("spread {:.1} %", share * 100.0)).unwrap_or_default();
        let ratio = ratio.map(|ratio| format!("ratio {ratio:.3}")).unwrap_or_default();
        let line = format!(
            "{bench:<12} {workload:<25} {contender:<22} {figure:>9} {unit:<20} {spread:<15} {ratio:<13} {answer} {note}"
        );
        line.trim_end().to_owned()
    }

    fn json(&self) -> String {
        let number = |number: Option<f64>| number.map_or("null".to_owned(), |number| format!("{number:.4}"));
        format!(
            r#"{{"bench":{},"workload":{},"contender":{},"unit":{},"median":{},"spread":{},"ratio":{},"rounds":{},"answer":{},"note":{}}}"#,
            quoted(self.bench),
            quoted(self.workload),
            quoted(self.contender),
            quoted(self.unit),
            number(self.median),
            number(self.spread),
            number(self.ratio),
            self.rounds.map_or("null".to_owned(), |rounds| rounds.to_string()),
            quoted(&self.answer),
            quoted(&self.note)
        )
    }
}

/// `{rows}`, one row a line. What the machine is adds the program that gathers the rows of all.
#[must_use]
pub fn json(rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().map(|row| format!("    {}", row.json())).collect();
    format!("{{\n  \"rows\": [\n{}\n  ]\n}}\n", rows.join(",\n"))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => {
                // Writing into a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_in_json() {
        assert_eq!(quoted("a \"b\"\\\n"), r#""a \"b\"\\\u000a""#);
    }
}
