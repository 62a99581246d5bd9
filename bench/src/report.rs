//! Rows: printed one a line, and as JSON.

use std::fmt::Write;

/// One figure.
#[derive(Debug)]
pub struct Row {
    /// Which benchmark.
    pub bench: &'static str,
    /// Over what.
    pub workload: &'static str,
    /// Of whom.
    pub contender: &'static str,
    /// What the figure counts.
    pub unit: &'static str,
    /// The figure: from the median of the fastest quarter of the rounds.
    pub median: f64,
    /// Distance of the quartiles of all rounds, as a share of their median. None where nothing was timed.
    pub spread: Option<f64>,
    /// Time divided by the baseline's. None where nothing was timed.
    pub ratio: Option<f64>,
    /// What came out.
    pub answer: String,
}

impl Row {
    /// The line that people read.
    pub fn line(&self) -> String {
        let Self { bench, workload, contender, unit, median, spread, ratio, answer } = self;
        let figure = if *median < 1_000.0 { format!("{median:.2}") } else { format!("{median:.0}") };
        // The first digits of an answer tell two of them apart; the whole one is in the JSON.
        let answer: String = answer.chars().take(40).collect();
        let spread = spread.map(|share| format!("spread {:.1} %", share * 100.0)).unwrap_or_default();
        let ratio = ratio.map(|ratio| format!("ratio {ratio:.3}")).unwrap_or_default();
        format!(
            "{bench:<12} {workload:<26} {contender:<17} {figure:>9} {unit:<20} {spread:<15} {ratio:<13} {answer}"
        )
    }

    fn json(&self) -> String {
        let number = |number: &Option<f64>| number.map_or("null".to_owned(), |number| format!("{number:.4}"));
        format!(
            r#"{{"bench":{},"workload":{},"contender":{},"unit":{},"median":{:.4},"spread":{},"ratio":{},"answer":{}}}"#,
            quoted(self.bench),
            quoted(self.workload),
            quoted(self.contender),
            quoted(self.unit),
            self.median,
            number(&self.spread),
            number(&self.ratio),
            quoted(&self.answer)
        )
    }
}

/// `{machine, rows}`, one row a line.
pub fn json(rows: &[Row], rounds: usize) -> String {
    let rows: Vec<_> = rows.iter().map(|row| format!("    {}", row.json())).collect();
    format!(
        "{{\n  \"machine\": {},\n  \"rounds\": {rounds},\n  \"rows\": [\n{}\n  ]\n}}\n",
        machine(),
        rows.join(",\n")
    )
}

/// What a reader must know of the machine; no name, no user, no path.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let load = read("/proc/loadavg");
    format!(
        r#"{{"cpu":{},"cores":{},"os":{},"arch":{},"loadAverage":{}}}"#,
        quoted(model.trim_start_matches([' ', '\t', ':'])),
        std::thread::available_parallelism().map_or(0, usize::from),
        quoted(std::env::consts::OS),
        quoted(std::env::consts::ARCH),
        quoted(&load.split(' ').take(3).collect::<Vec<_>>().join(" "))
    )
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
