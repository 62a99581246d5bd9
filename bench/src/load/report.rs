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
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1_000.0,
        }
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
    #[serde(flatten)]
    pub joined: Joined,
}

/// What happened beside the counted deliveries.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// From the first connection to the last subscriber's last image.
    pub joined_ms: f64,
    /// From each subscriber's connection to its last image, µs.
    pub each: Quantiles,
    /// Resident memory of the server before anybody came, when all were in, and at the end; 0 = not counted.
    pub memory_bytes: [u64; 3],
    /// Clients that flooded and were ended.
    pub floods: Vec<Flood>,
}

/// How a client that flooded was ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flood {
    pub code: u16,
    pub after_ms: f64,
}

impl From<(u16, std::time::Duration)> for Flood {
    fn from((code, after): (u16, std::time::Duration)) -> Self {
        Self { code, after_ms: after.as_secs_f64() * 1_000.0 }
    }
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

/// Resident memory of a process. 0 where it cannot be read.
pub fn memory_bytes(pid: Option<u32>) -> u64 {
    let status = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let line = status.as_deref().unwrap_or_default().lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() * 1_024
}
