//! What has traded at prices, from the frames of one `volumes` stream.

use std::collections::BTreeMap;

use super::error::Refusal;
use super::follow::{Follow, Turn};
use super::{FeedFrame, Outcome, ReplicaError, ReplicaReason, ReplicaState};
use crate::aggregate::Traded;
use crate::encode::{Kind, SessionBody, Stream};
use crate::types::{Place, Price};

/// Most rows that a replica of volumes may hold; a server has fewer.
pub const REPLICA_VOLUMES_MAX: usize = 1 << 16;

/// What has traded since a session began, by rules 1 to 3 of the protocol. It does not depend on the book. `Synced` says that it is
/// the server's at its place; whether trades may be missing in that says the session.
#[derive(Clone, Debug)]
pub struct ReplicaVolumes {
    follow: Follow,
    grouping: i64,
    session: SessionBody,
    rows: BTreeMap<Price, Traded>,
    staged: BTreeMap<Price, Traded>,
}

impl Default for ReplicaVolumes {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplicaVolumes {
    /// Volumes of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            follow: Follow::new(),
            grouping: 0,
            session: SessionBody { since: 0, missed_at: 0 },
            rows: BTreeMap::new(),
            staged: BTreeMap::new(),
        }
    }

    /// Whether the rows are the server's at their place. Stale where trades are not told for now, too.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.follow.state
    }

    /// The stream of the last image; 0 before the first.
    #[must_use]
    pub const fn stream(&self) -> Stream {
        self.follow.stream
    }

    /// What to resume from: none before an image, and where only an image helps.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.follow.resume_place()
    }

    /// Width of the buckets as a mantissa, which may be wider than what was granted; 0 = prices as they are.
    #[must_use]
    pub const fn grouping(&self) -> i64 {
        self.grouping
    }

    /// Since when trades are counted, and when some may have been missed; ns since 1970.
    #[must_use]
    pub const fn session(&self) -> SessionBody {
        self.session
    }

    /// The rows, lowest price first.
    pub fn rows(&self) -> impl Iterator<Item = &Traded> {
        self.rows.values()
    }

    /// The row of a price, which is a multiple of the grouping; `None` where nothing has traded.
    #[must_use]
    pub fn at(&self, price: Price) -> Option<&Traded> {
        self.rows.get(&price)
    }

    /// Powers of ten of prices and quantities.
    #[must_use]
    pub const fn exponents(&self) -> (i8, i8) {
        (self.follow.price_exponent, self.follow.qty_exponent)
    }

    /// What follows is not arriving for now.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        self.follow.doubt(reason);
    }

    /// Nothing can be trusted until the next image.
    pub fn lose(&mut self, reason: ReplicaReason) {
        self.follow.lose(reason);
    }

    /// The server brings the rows to a place by what follows.
    pub fn bring_to(&mut self, to: Place) {
        self.follow.bring_to(to, None);
    }

    /// Takes a frame of the stream.
    ///
    /// # Errors
    /// `Invalid` and `Full`; the rows are then stale and wait for an image.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        let applied = match frame.kind() {
            kind if kind == Kind::Image as u8 => self.image(frame),
            kind if kind == Kind::Volumes as u8 => self.change(frame),
            _ => Ok(Outcome::Ignored),
        };
        applied.map_err(|refusal| {
            self.follow.refuse();
            refusal.at(frame.at())
        })
    }

    /// Rule 1.
    fn image(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        let info = *frame.table.info().ok_or(Refusal::Invalid)?;
        match self.follow.take_chunk(frame, &info)? {
            Turn::First => self.staged.clear(),
            Turn::Next => {}
            Turn::Wrong => return Ok(Outcome::Discarded),
        }
        read(frame, &mut self.staged)?;
        if info.chunk_index() + 1 < info.chunk_count() {
            return Ok(Outcome::Chunk);
        }
        self.rows = std::mem::take(&mut self.staged);
        self.grouping = frame.table.view().map_or(0, |view| view.grouping());
        self.follow.take_image(frame, &info);
        self.follow.awaits_image = false;
        self.note(frame);
        Ok(Outcome::Image)
    }

    /// Rule 3.
    fn change(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        if let Some(outcome) = self.follow.pass_over(frame) {
            return Ok(outcome);
        }
        if frame.seq() <= self.follow.place.seq {
            return Ok(Outcome::Old);
        }
        if frame.prev_seq() > self.follow.place.seq {
            return Ok(self.follow.missed(frame.prev_seq()));
        }
        read(frame, &mut self.rows)?;
        self.follow.take_header(frame);
        self.note(frame);
        Ok(Outcome::Applied)
    }

    fn note(&mut self, frame: &FeedFrame<'_>) {
        if let Some(session) = frame.session() {
            self.session = session;
        }
        self.follow.settle(frame.flags());
    }
}

fn read(frame: &FeedFrame<'_>, to: &mut BTreeMap<Price, Traded>) -> Result<(), Refusal> {
    for row in frame.volumes() {
        if row.trades == 0 {
            to.remove(&row.price);
        } else {
            to.insert(row.price, row);
        }
    }
    if to.len() > REPLICA_VOLUMES_MAX { Err(Refusal::Full) } else { Ok(()) }
}
