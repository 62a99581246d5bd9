//! Samples by the time at which they were planned: one histogram of all, and one for each interval, so that a spike has a place.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;
use serde::Serialize;

use crate::fault::Fault;
use crate::quantiles::Quantiles;

/// The greatest time that is told apart: an hour.
const NS_MAX: u64 = 3_600_000_000_000;
/// Digits of a value that are kept.
const DIGITS: u8 = 3;
/// Histograms of intervals that are kept, some 100 KB each. Longer runs have longer intervals.
pub(crate) const INTERVALS_MAX: u64 = 600;
/// The interval of a run that asks for no other.
pub const INTERVAL_NS: u64 = 1_000_000_000;
/// `.hgrm` files have microseconds: what plotters call the unit is free.
const NS_IN_UNIT: f64 = 1_000.0;
/// Lines of an `.hgrm` file for each halving of the distance to 100 %, as other writers have it.
const TICKS_PER_HALF: u32 = 5;

/// Samples in nanoseconds. Recording costs some 10 ns and allocates nothing.
#[derive(Debug)]
pub struct Timeline {
    whole: Histogram<u64>,
    intervals: Vec<Histogram<u32>>,
    interval_ns: u64,
}

/// What is told of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// Where it begins, ns from the beginning of the counted time.
    pub from_ns: u64,
    /// Of its samples.
    pub count: u64,
    /// 50 %, ns.
    pub p50: u64,
    /// 99 %, ns.
    pub p99: u64,
    /// The greatest, ns.
    pub max: u64,
}

/// A histogram of times from 1 ns to an hour.
pub(crate) fn histogram() -> Histogram<u64> {
    bounded()
}

/// Constant bounds that the library takes; see the test.
#[allow(clippy::expect_used, reason = "the bounds are constants")]
fn bounded<C: hdrhistogram::Counter>() -> Histogram<C> {
    Histogram::new_with_bounds(1, NS_MAX, DIGITS).expect("bounds that are in order")
}

impl Timeline {
    /// For samples that are planned within so many nanoseconds, by intervals of at least so many.
    #[must_use]
    pub fn new(planned_ns: u64, interval_ns: u64) -> Self {
        let interval_ns = interval_ns.max(planned_ns.div_ceil(INTERVALS_MAX)).max(1);
        let count = planned_ns.div_ceil(interval_ns).max(1);
        Self { whole: histogram(), intervals: (0..count).map(|_| bounded()).collect(), interval_ns }
    }

    /// Takes a sample that was planned at a time of the run. 0 counts as 1 ns, more than an hour as an hour.
    #[inline]
    pub fn record(&mut self, planned_ns: u64, ns: u64) {
        let ns = ns.max(1);
        self.whole.saturating_record(ns);
        let at = (planned_ns / self.interval_ns) as usize;
        if let Some(interval) = self.intervals.get_mut(at) {
            interval.saturating_record(ns);
        }
    }

    /// Of all samples.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        Quantiles::of(&self.whole)
    }

    /// Nanoseconds of an interval.
    #[must_use]
    pub const fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// What is told of each interval.
    #[must_use]
    pub fn intervals(&self) -> Vec<Interval> {
        let told = |(at, interval): (usize, &Histogram<u32>)| Interval {
            from_ns: at as u64 * self.interval_ns,
            count: interval.len(),
            p50: interval.value_at_quantile(0.5),
            p99: interval.value_at_quantile(0.99),
            max: interval.max(),
        };
        self.intervals.iter().enumerate().map(told).collect()
    }

    /// The curve of a chart: `[share of samples, ns]`, finer towards the end.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, u64)> {
        let points = self.whole.iter_quantiles(TICKS_PER_HALF);
        points.map(|at| (at.quantile_iterated_to(), at.value_iterated_to())).collect()
    }

    /// The text of an `.hgrm` file, in microseconds: the percentile table of HdrHistogram's own tools.
    #[must_use]
    pub fn hgrm(&self) -> String {
        use std::fmt::Write;
        let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
        let mut count = 0;
        for at in self.whole.iter_quantiles(TICKS_PER_HALF) {
            let (value, share) = (at.value_iterated_to() as f64 / NS_IN_UNIT, at.quantile_iterated_to());
            count += at.count_since_last_iteration();
            // Writing to a text cannot fail.
            let _ = if share < 1.0 {
                writeln!(text, "{value:12.3} {share:.12} {count:10} {:14.2}", 1.0 / (1.0 - share))
            } else {
                writeln!(text, "{value:12.3} {share:.12} {count:10}")
            };
        }
        let (mean, deviation) = (self.whole.mean() / NS_IN_UNIT, self.whole.stdev() / NS_IN_UNIT);
        let (max, count) = (self.whole.max() as f64 / NS_IN_UNIT, self.whole.len());
        let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
        let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {count:12}]");
        // Of the shape that was asked for: values of three digits from 1 ns on.
        let _ = writeln!(text, "#[Buckets = {:12}, SubBuckets     = {:12}]", self.whole.buckets(), 2_048);
        text
    }

    /// The text of an `.hlog` file, version 1.3, in nanoseconds: a compressed histogram for each interval. `since_start`: how long after
    /// `started` what is so many planned nanoseconds from the beginning was, where that is another time.
    ///
    /// # Errors
    /// A histogram that cannot be written, which none is that was made here.
    pub fn hlog(
        &self,
        started: SystemTime,
        comment: &str,
        since_start: impl Fn(u64) -> Duration,
    ) -> Result<String, Fault> {
        let cannot = |got: &dyn std::fmt::Display| Fault::own("an interval log cannot be written", got);
        let mut bytes = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        {
            let mut log = IntervalLogWriterBuilder::new()
                .add_comment(comment)
                .with_start_time(started)
                .with_base_time(started)
                .with_max_value_divisor(1.0)
                .begin_log_with(&mut bytes, &mut serializer)
                .map_err(|error| cannot(&error))?;
            let length = Duration::from_nanos(self.interval_ns);
            for (at, interval) in self.intervals.iter().enumerate() {
                let from = since_start(at as u64 * self.interval_ns);
                log.write_histogram(interval, from, length, None)
                    .map_err(|error| cannot(&format_args!("{error:?}")))?;
            }
        }
        String::from_utf8(bytes).map_err(|error| cannot(&error))
    }
}

/// All that is told of samples.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineReport {
    /// Of all of them, ns.
    pub all: Quantiles,
    /// By interval.
    pub intervals: Vec<Interval>,
    /// `[share of samples, ns]`.
    pub curve: Vec<(f64, u64)>,
    /// Percentile table, µs.
    pub hgrm: String,
    /// Interval log, ns.
    pub hlog: String,
}

impl Timeline {
    /// All of it.
    ///
    /// # Errors
    /// As [`Self::hlog`].
    pub fn report(&self, started: SystemTime, comment: &str) -> Result<TimelineReport, Fault> {
        Ok(TimelineReport {
            all: self.quantiles(),
            intervals: self.intervals(),
            curve: self.curve(),
            hgrm: self.hgrm(),
            hlog: self.hlog(started, comment, Duration::from_nanos)?,
        })
    }

    /// Of samples that were taken elsewhere: each is when it was planned and how long it took, ns, two `u64` that begin with their lowest
    /// byte. What is no whole sample at the end is left out.
    #[must_use]
    pub fn of_samples(samples: &[u8]) -> Self {
        let samples = || {
            let numbers = samples.as_chunks::<8>().0.as_chunks::<2>().0.iter();
            numbers.map(|[planned, ns]| (u64::from_le_bytes(*planned), u64::from_le_bytes(*ns)))
        };
        let end = samples().map(|(planned, _)| planned).max().unwrap_or(0);
        let mut line = Self::new(end.saturating_add(1), INTERVAL_NS);
        samples().for_each(|(planned, ns)| line.record(planned, ns));
        line
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    fn filled() -> Timeline {
        let mut line = Timeline::new(3_000_000_000, INTERVAL_NS);
        for n in 0..3_000_u64 {
            line.record(n * 1_000_000, 1_000 + n * 7);
        }
        line
    }

    #[test]
    fn a_log_is_read_back_with_equal_counts() {
        let line = filled();
        let log = line
            .hlog(SystemTime::UNIX_EPOCH + Duration::from_secs(5), "what was measured", Duration::from_nanos)
            .unwrap();
        let (mut intervals, mut all) = (0, Histogram::<u64>::new(3).unwrap());
        all.auto(true);
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            let LogEntry::Interval(entry) = entry.unwrap() else { continue };
            let bytes = decoded(entry.encoded_histogram());
            let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            assert_eq!((entry.duration(), read.len()), (Duration::from_secs(1), 1_000));
            all.add(&read).unwrap();
            intervals += 1;
        }
        assert_eq!((intervals, all.len(), all.max()), (3, 3_000, line.whole.max()));
        for quantile in [0.1, 0.5, 0.99, 0.9999] {
            assert_eq!(all.value_at_quantile(quantile), line.whole.value_at_quantile(quantile));
        }
    }

    fn decoded(text: &str) -> Vec<u8> {
        let digit = |byte: u8| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                .iter()
                .position(|&of| of == byte)
        };
        let bits: Vec<usize> = text.bytes().filter_map(digit).collect();
        let mut bytes = Vec::new();
        for four in bits.chunks(4) {
            let word = (0..4).fold(0, |word, at| word << 6 | four.get(at).copied().unwrap_or(0));
            bytes.extend_from_slice(&[(word >> 16) as u8, (word >> 8) as u8, word as u8][..four.len() - 1]);
        }
        bytes
    }

    #[test]
    fn a_percentile_table_ends_with_all_samples() {
        let table = filled().hgrm();
        let last = table.lines().rev().find(|line| !line.starts_with('#')).unwrap();
        // The greatest is 21,993 ns, of which values up to 21,999 are not told apart.
        let fields: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(fields, ["21.999", "1.000000000000", "3000"]);
        assert!(table.contains("Total count    =         3000]"), "{table}");
    }

    #[test]
    fn samples_of_elsewhere_are_told_alike() {
        let mut samples = Vec::new();
        for at in 0..2_000_u64 {
            samples.extend((at * 1_000_000).to_le_bytes());
            samples.extend((100 + at).to_le_bytes());
        }
        // Half a sample is none.
        samples.extend([1; 9]);
        let report = Timeline::of_samples(&samples).report(SystemTime::now(), "samples").unwrap();
        assert_eq!([report.all.count, report.all.min, report.all.p50], [2_000, 100, 1_099]);
        let counts: Vec<_> = report.intervals.iter().map(|interval| interval.count).collect();
        assert_eq!(counts, [1_000, 1_000]);
        assert_eq!(Timeline::of_samples(&[]).quantiles().count, 0);
    }

    #[test]
    fn longer_runs_have_longer_intervals() {
        let day = Timeline::new(86_400_000_000_000, INTERVAL_NS);
        assert_eq!((day.intervals.len(), day.interval_ns), (600, 144_000_000_000));
    }

    #[test]
    fn what_cannot_be_told_apart_counts_as_the_next() {
        let mut line = Timeline::new(1, INTERVAL_NS);
        line.record(0, 0);
        line.record(5_000_000_000, u64::MAX);
        let all = line.quantiles();
        assert_eq!((all.count, all.min), (2, 1));
        assert!(all.max >= NS_MAX);
        assert_eq!(line.intervals()[0].count, 1);
    }
}
