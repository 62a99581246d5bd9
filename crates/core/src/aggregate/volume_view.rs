//! A profile as its readers see it: published at an interval, in buckets of a width.

use super::profile::{PROFILE_PRICES_MAX, Profile, Traded, bucket_of};
use crate::types::{Price, TimeNs};

/// Touched buckets that are noted before those that are noted twice are taken out: of one profile there are fewer.
const TOUCHED_MAX: usize = 2 * PROFILE_PRICES_MAX;

/// What was published of a profile, and which of its buckets have traded since.
///
/// Cost of a trade: a division and a push; of a publication: a sum for each bucket that was touched.
#[derive(Clone, Debug)]
pub struct VolumeView {
    grouping: i64,
    interval_ns: u64,
    /// Of its buckets: `grouping`, or as fine above it as the profile is.
    width: i64,
    /// As published, lowest price first, and the sequence at which each was published last.
    published: Vec<Traded>,
    changed_at: Vec<u64>,
    touched: Vec<Price>,
    changes: Vec<Traded>,
    /// Trades since it was published.
    touches: u32,
    is_news: bool,
    flushed_at: TimeNs,
}

impl VolumeView {
    /// A view in buckets of `grouping` mantissa units (0 = prices as they are) that publishes at most once every `interval_ns`.
    #[must_use]
    pub const fn new(grouping: i64, interval_ns: u64) -> Self {
        Self {
            grouping,
            interval_ns,
            width: 1,
            published: Vec::new(),
            changed_at: Vec::new(),
            touched: Vec::new(),
            changes: Vec::new(),
            touches: 0,
            is_news: false,
            flushed_at: 0,
        }
    }

    /// What was asked for.
    #[must_use]
    pub const fn grouping(&self) -> i64 {
        self.grouping
    }

    /// Width of its buckets in mantissa units; 0 = prices as they are.
    #[must_use]
    pub const fn width(&self) -> i64 {
        if self.width == 1 { 0 } else { self.width }
    }

    /// Least time between two publications, ns.
    #[must_use]
    pub const fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// Other buckets from now on. What is published stays as it is until the next [`Self::image`].
    pub const fn regroup(&mut self, grouping: i64) {
        self.grouping = grouping;
    }

    /// Notes a trade that the profile has.
    #[inline]
    pub fn touch(&mut self, price: Price) {
        self.touches = self.touches.saturating_add(1);
        let bucket = bucket_of(price, self.width);
        if self.touched.last() != Some(&bucket) {
            self.touched.push(bucket);
            if self.touched.len() == TOUCHED_MAX {
                self.touched.sort_unstable();
                self.touched.dedup();
            }
        }
    }

    /// What is said of the whole is another now, which is to be told at once.
    pub const fn note(&mut self) {
        self.is_news = true;
    }

    /// Whether a publication is due. A clock that was set back does not hold it up.
    #[inline]
    #[must_use]
    pub const fn is_due(&self, now: TimeNs) -> bool {
        self.is_news
            || self.touches > 0 && (now < self.flushed_at || now - self.flushed_at >= self.interval_ns)
    }

    /// The rows that have traded since the last publication, which is now the one of this sequence, and how many trades they
    /// merge.
    pub fn flush(&mut self, now: TimeNs, seq: u64, profile: &Profile) -> (&[Traded], u32) {
        self.changes.clear();
        self.touched.sort_unstable();
        self.touched.dedup();
        for &bucket in &self.touched {
            let row = profile.sum(bucket, self.width);
            self.changes.push(row);
            match self.published.binary_search_by_key(&bucket, |row| row.price) {
                Ok(at) => (self.published[at], self.changed_at[at]) = (row, seq),
                Err(at) => {
                    self.published.insert(at, row);
                    self.changed_at.insert(at, seq);
                }
            }
        }
        self.done(now);
        (&self.changes, std::mem::take(&mut self.touches))
    }

    /// Takes the whole profile as published, at this sequence: the view's image.
    pub fn image(&mut self, now: TimeNs, seq: u64, profile: &Profile) {
        self.width = least_common_multiple(self.grouping.max(1), profile.width());
        self.published.clear();
        for row in profile.rows() {
            let price = bucket_of(row.price, self.width);
            match self.published.last_mut() {
                Some(last) if last.price == price => last.add(row),
                _ => self.published.push(Traded { price, ..*row }),
            }
        }
        self.changed_at.clear();
        self.changed_at.resize(self.published.len(), seq);
        self.touches = 0;
        self.done(now);
    }

    fn done(&mut self, now: TimeNs) {
        self.touched.clear();
        self.is_news = false;
        self.flushed_at = now;
    }

    /// The rows as published, lowest price first.
    #[must_use]
    pub fn published(&self) -> &[Traded] {
        &self.published
    }

    /// Those of them that were published behind a sequence.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &Traded> {
        self.published.iter().zip(&self.changed_at).filter(move |(_, at)| **at > seq).map(|(row, _)| row)
    }
}

/// The least width that both go into; the greatest number where that is none.
fn least_common_multiple(a: i64, b: i64) -> i64 {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).saturating_mul(b)
}
