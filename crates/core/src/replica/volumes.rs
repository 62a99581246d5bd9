//! What has traded at prices, from the frames of one `volumes` stream alone.

use std::collections::BTreeMap;

use super::{Outcome, ReplicaError, feed_frames};
use crate::aggregate::Traded;
use crate::encode::generated::Frame;
use crate::encode::{Flags, Kind, SessionBody, Stream};
use crate::types::{InstrumentId, Price, Qty};

/// Most rows that a replica of volumes may hold.
pub const REPLICA_VOLUMES_MAX: usize = 1 << 16;

/// One stream of volumes as the feed told it.
#[derive(Debug)]
pub struct ReplicaVolumes {
    instrument: InstrumentId,
    stream: Stream,
    /// Epoch and sequence, once there was an image.
    place: Option<(u64, u64)>,
    is_stale: bool,
    grouping: i64,
    session: SessionBody,
    rows: BTreeMap<Price, Traded>,
    staged: BTreeMap<Price, Traded>,
    /// The chunk that an image goes on with: its epoch, sequence and place.
    chunk: Option<(u64, u64, u32)>,
}

impl ReplicaVolumes {
    /// A reader of a stream, as an acknowledgement names it.
    #[must_use]
    pub const fn new(instrument: InstrumentId, stream: Stream) -> Self {
        Self {
            instrument,
            stream,
            place: None,
            is_stale: false,
            grouping: 0,
            session: SessionBody { since: 0, missed_at: 0 },
            rows: BTreeMap::new(),
            staged: BTreeMap::new(),
            chunk: None,
        }
    }

    /// Epoch and sequence that the rows are exact at; none before an image, and behind a gap until the next one.
    #[must_use]
    pub const fn place(&self) -> Option<(u64, u64)> {
        self.place
    }

    /// Whether trades are not told for now.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Width of the buckets as a mantissa; 0 = prices as they are.
    #[must_use]
    pub const fn grouping(&self) -> i64 {
        self.grouping
    }

    /// Since when trades are counted, and when some may have been missed.
    #[must_use]
    pub const fn session(&self) -> SessionBody {
        self.session
    }

    /// The rows, lowest price first.
    pub fn rows(&self) -> impl Iterator<Item = &Traded> {
        self.rows.values()
    }

    /// Takes frames that stand back to back, those of other streams among them; returns what the last one did.
    ///
    /// # Errors
    /// [`ReplicaError`] names the frame that is wrong; those before it have been applied.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Outcome, ReplicaError> {
        let mut outcome = Outcome::Ignored;
        for frame in feed_frames(bytes) {
            let frame = frame?;
            let is_mine = (frame.instrument(), frame.stream()) == (self.instrument, self.stream);
            outcome = if is_mine {
                self.take(&frame.table).ok_or(ReplicaError::Full { at: frame.at() })?
            } else {
                Outcome::Ignored
            };
        }
        Ok(outcome)
    }

    fn take(&mut self, frame: &Frame<'_>) -> Option<Outcome> {
        let header = frame.header();
        if header.kind() == Kind::Image as u8 {
            return self.image(frame);
        }
        let Some((epoch, seq)) = self.place else { return Some(Outcome::Ignored) };
        if header.kind() != Kind::Volumes as u8 || header.epoch() < epoch {
            return Some(Outcome::Ignored);
        }
        if header.epoch() == epoch && header.seq() <= seq {
            return Some(Outcome::Old);
        }
        if header.epoch() > epoch || header.prev_seq() > seq {
            self.place = None;
            return Some(Outcome::Gap { expected: seq, received: header.prev_seq() });
        }
        read(frame, &mut self.rows);
        self.place = Some((epoch, header.seq()));
        self.note(frame);
        (self.rows.len() <= REPLICA_VOLUMES_MAX).then_some(Outcome::Applied)
    }

    /// Rule 1.
    fn image(&mut self, frame: &Frame<'_>) -> Option<Outcome> {
        let (header, Some(info)) = (frame.header(), frame.info()) else { return Some(Outcome::Ignored) };
        let turn = (header.epoch(), header.seq(), info.chunk_index());
        if info.chunk_index() == 0 {
            self.staged.clear();
        } else if self.chunk != Some(turn) {
            self.chunk = None;
            return Some(Outcome::Discarded);
        }
        read(frame, &mut self.staged);
        if self.staged.len() > REPLICA_VOLUMES_MAX {
            self.chunk = None;
            return None;
        }
        if info.chunk_index() + 1 < info.chunk_count() {
            self.chunk = Some((turn.0, turn.1, turn.2 + 1));
            return Some(Outcome::Chunk);
        }
        self.chunk = None;
        self.rows = std::mem::take(&mut self.staged);
        self.place = Some((header.epoch(), header.seq()));
        self.grouping = frame.view().map_or(0, |view| view.grouping());
        self.note(frame);
        Some(Outcome::Image)
    }

    fn note(&mut self, frame: &Frame<'_>) {
        self.is_stale = frame.header().flags() & Flags::STALE.0 != 0;
        if let Some(session) = frame.session() {
            self.session = SessionBody { since: session.since(), missed_at: session.missed_at() };
        }
    }
}

fn read(frame: &Frame<'_>, to: &mut BTreeMap<Price, Traded>) {
    for row in frame.volumes().iter().flatten() {
        let price = Price(row.price());
        let (bought, sold, unknown) = (Qty(row.bought()), Qty(row.sold()), Qty(row.unknown()));
        if row.trades() == 0 {
            to.remove(&price);
        } else {
            to.insert(price, Traded { price, bought, sold, unknown, trades: row.trades() });
        }
    }
}
