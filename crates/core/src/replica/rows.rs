//! Rows that each frame of a stream tells whole, and the status frames that end them: what quantities cost, signals.

use super::error::Refusal;
use super::follow::Follow;
use super::{FeedFrame, Outcome, ReplicaError, ReplicaReason, ReplicaState};
use crate::aggregate::Cost;
use crate::encode::{COST_OF_ASKS, COST_OF_BIDS, Flags, Kind, Stream};
use crate::signal::SignalRow;
use crate::types::{Place, TimeNs};

/// What quantities cost: of each quantity and then of each band a row of the bids and one of the asks.
pub type ReplicaCosts = ReplicaRows<Cost>;

/// Signals: a row of each that has a value. Of one that is not known here there is none.
pub type ReplicaSignals = ReplicaRows<SignalRow>;

/// A row of frames that tell a state whole.
pub trait WholeRow: Sized {
    /// Of the frames that are no image.
    const KIND: Kind;

    /// Puts the rows of a frame into `rows`. False where it has none, or one that is no such row.
    fn read(frame: &FeedFrame<'_>, rows: &mut Vec<Self>) -> bool;
}

impl WholeRow for Cost {
    const KIND: Kind = Kind::Costs;

    fn read(frame: &FeedFrame<'_>, rows: &mut Vec<Self>) -> bool {
        let Some(told) = frame.table.costs() else { return false };
        rows.extend(frame.costs());
        told.iter().all(|row| [COST_OF_BIDS, COST_OF_ASKS].contains(&row.side()))
    }
}

impl WholeRow for SignalRow {
    const KIND: Kind = Kind::Signals;

    fn read(frame: &FeedFrame<'_>, rows: &mut Vec<Self>) -> bool {
        rows.extend(frame.signals());
        frame.table.signals().is_some()
    }
}

/// The rows of one moment of the book, by rules 1 to 3 and 6 of the protocol.
#[derive(Clone, Debug)]
pub struct ReplicaRows<Row> {
    follow: Follow,
    rows: Vec<Row>,
    /// Reused.
    staged: Vec<Row>,
}

impl<Row: WholeRow> Default for ReplicaRows<Row> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Row: WholeRow> ReplicaRows<Row> {
    /// Rows of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { follow: Follow::new(), rows: Vec::new(), staged: Vec::new() }
    }

    /// As they were told; none before the first image.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether the rows may be trusted.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.follow.state
    }

    /// The stream of the last image; 0 before the first.
    #[must_use]
    pub const fn stream(&self) -> Stream {
        self.follow.stream
    }

    /// What to resume from.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.follow.resume_place()
    }

    /// Of the rows: the venue's time, when the server received what they follow from, and when it wrote them; ns, 0 = not given.
    #[must_use]
    pub const fn times(&self) -> [TimeNs; 3] {
        [self.follow.ts_event, self.follow.ts_recv, self.follow.ts_send]
    }

    /// Flags of the rows: what is doubted of the book.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.follow.flags
    }

    /// Powers of ten of prices and quantities of the instrument; what is computed has its own in each row.
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

    /// The server brings the rows to a place by what follows. `server` is the state of its own book.
    pub fn bring_to(&mut self, to: Place, server: ReplicaState) {
        self.follow.bring_to(to, Some(server));
    }

    /// Takes a frame of the stream, or a status frame of its instrument.
    ///
    /// # Errors
    /// `Invalid` where it lacks what its kind has; the rows are then stale and wait for an image.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        let applied = match frame.kind() {
            kind if kind == Kind::Image as u8 => self.image(frame),
            kind if kind == Row::KIND as u8 => self.change(frame),
            kind if kind == Kind::Status as u8 => self.follow.take_status(frame),
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
        self.read(frame)?;
        self.follow.take_image(frame, &info);
        self.follow.take_image_state(&info);
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
        self.read(frame)?;
        self.follow.take_header(frame);
        self.follow.settle(frame.flags());
        Ok(Outcome::Applied)
    }

    fn read(&mut self, frame: &FeedFrame<'_>) -> Result<(), Refusal> {
        self.staged.clear();
        if !Row::read(frame, &mut self.staged) {
            return Err(Refusal::Invalid);
        }
        std::mem::swap(&mut self.rows, &mut self.staged);
        Ok(())
    }
}
