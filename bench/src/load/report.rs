//! What a run found.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Times in µs.
#[derive(Debug, Serialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Quantiles {
    /// Of a histogram in ns.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: histogram.max() as f64 / 1_000.0 }
    }
}

/// One line of JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Nothing was lost, and the records went out in time.
    pub ok: bool,
    pub clients: usize,
    pub rate: f64,
    /// Records sent in the counted time.
    pub sent: u64,
    /// Records that were sent later than the next one was due.
    pub late: u64,
    /// Frames of the book's stream that all subscribers got in the counted time.
    pub deliveries: u64,
    /// Frames that had not come a while after the end, of the whole run.
    pub lost: u64,
    pub messages: u64,
    pub bytes: u64,
    /// CPU time of the server in the counted time; 0 = not counted.
    pub cpu_ns: u64,
    pub deliveries_per_cpu_second: f64,
    pub cpu_ns_per_record: f64,
    /// From the planned time of the record to the read that brought its frame.
    pub latency_us: Quantiles,
    /// From the planned time of the record to its sending.
    pub lateness_us: Quantiles,
    pub seconds: f64,
    /// From the first connection to the last acknowledgement.
    pub joined_ms: f64,
}

impl Report {
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// CPU time of a process in ns, all threads together. 0 where it cannot be read.
pub fn cpu_ns(pid: Option<u32>) -> u64 {
    let Some(pid) = pid else { return 0 };
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum()
}
