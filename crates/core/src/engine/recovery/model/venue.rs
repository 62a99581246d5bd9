//! A venue that cannot be mistaken about itself: it knows its book after every change, whatever it sends or loses.

use crate::sequence::Rule;
use crate::types::{TimeNs, VenueSeq};
use crate::venues::{ALL, Detection, Product, Resync, product};

/// Prices that a book has; each holds the number of the change that last set it.
pub(super) const PRICES: usize = 5;

pub(super) type Book = [u32; PRICES];

/// Numbers of one numbering are far from those of another.
const APART: u64 = 10_000_000;

/// What a venue may be like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) product: Product,
    /// Whether updates carry the venue's time.
    pub(super) times: bool,
    /// Whether snapshots do.
    pub(super) times_snapshots: bool,
    /// Whether it names orders instead of levels.
    pub(super) by_order: bool,
}

impl Kind {
    /// Each kind in turn.
    pub(super) fn of(number: u64) -> Self {
        let (rule, resync, detects, by_order) = match number % 7 {
            0 => (Rule::Range, Resync::Snapshot, Detection::Next, false),
            1 => (Rule::Time, Resync::Snapshot, Detection::Next, false),
            2 => (Rule::Linked, Resync::Snapshot, Detection::Next, false),
            3 => (Rule::LinkedIfNumbered, Resync::Snapshot, Detection::Next, false),
            4 => (Rule::Counter, Resync::Resubscribe, Detection::Next, false),
            5 => (Rule::Unnumbered, Resync::Resubscribe, Detection::Later, false),
            _ => (Rule::Unnumbered, Resync::Wait, Detection::Next, true),
        };
        let product = Product { rule, resync, detects, ..*product(ALL[0]) };
        Self {
            product,
            times: !(number / 7).is_multiple_of(3),
            times_snapshots: number / 7 % 3 == 1,
            by_order,
        }
    }

    pub(super) const fn is_numbered(&self) -> bool {
        !matches!(self.product.rule, Rule::Unnumbered)
    }
}

/// How a venue numbers anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anew {
    Lower,
    Higher,
    /// Lower, and the first update names the last one of the old numbering.
    Linked,
}

/// One update: the changes behind `from`, up to `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) era: u32,
    pub(super) seq: VenueSeq,
    pub(super) ts_event: TimeNs,
}

/// A book as the venue hands it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub(super) at: u32,
    pub(super) era: u32,
    pub(super) number: u64,
    pub(super) ts_event: TimeNs,
    pub(super) book: Book,
    /// It is another instrument's.
    pub(super) is_foreign: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Venue {
    pub(super) kind: Kind,
    /// By change: the book as that change left it.
    pub(super) books: Vec<Book>,
    pub(super) updates: Vec<Update>,
    /// Of each numbering: its first change, the number that the book then had, and whether it is linked to the one before.
    eras: Vec<(u32, u64, bool)>,
    /// The number that the next update names as the one before it.
    before: u64,
}

impl Venue {
    pub(super) fn new(kind: Kind) -> Self {
        let mut venue = Self { kind, books: Vec::new(), updates: Vec::new(), eras: Vec::new(), before: 0 };
        venue.reset(kind);
        venue
    }

    /// Begins anew and keeps the memory.
    pub(super) fn reset(&mut self, kind: Kind) {
        self.kind = kind;
        self.books.clear();
        self.books.push([0; PRICES]);
        self.updates.clear();
        self.eras.clear();
        self.eras.push((0, 50 * APART, false));
        self.before = 50 * APART;
        self.update(2, 0);
    }

    /// The last change.
    pub(super) const fn now(&self) -> u32 {
        self.books.len() as u32 - 1
    }

    pub(super) const fn era(&self) -> u32 {
        self.eras.len() as u32 - 1
    }

    /// Whether anything has changed in the present numbering.
    pub(super) fn has_begun(&self) -> bool {
        self.updates.last().is_some_and(|update| update.era == self.era())
    }

    /// Whether a numbering names the last update of the one before it.
    pub(super) fn is_linked(&self, era: u32) -> bool {
        self.eras[era as usize].2
    }

    /// The venue's number of a change; 0 where it has none.
    fn number(&self, era: u32, change: u32) -> u64 {
        let (first, base, _) = self.eras[era as usize];
        let behind = u64::from(change - first);
        match self.kind.product.rule {
            Rule::Range | Rule::Time => base + behind,
            // With holes.
            Rule::Linked | Rule::LinkedIfNumbered => base + behind * 3,
            Rule::Counter => {
                let is_told = |update: &&Update| update.era == era && update.to <= change;
                base + self.updates.iter().filter(is_told).count() as u64
            }
            Rule::Unnumbered => 0,
        }
    }

    /// When a change happened.
    const fn time(change: u32) -> TimeNs {
        1_000 + change as u64
    }

    /// The venue changes and says so in one update.
    pub(super) fn update(&mut self, changes: u32, salt: u32) -> Update {
        let (from, era) = (self.now(), self.era());
        for _ in 0..changes {
            let mut book = self.books[self.books.len() - 1];
            let change = self.books.len() as u32;
            book[((change ^ salt).wrapping_mul(0x9E37_79B1) >> 7) as usize % PRICES] = change;
            self.books.push(book);
        }
        let to = self.now();
        let mut update = Update { from, to, era, seq: VenueSeq::default(), ts_event: 0 };
        update.ts_event = if self.kind.times { Self::time(to) } else { 0 };
        self.updates.push(update);
        let last = self.number(era, to);
        update.seq = match self.kind.product.rule {
            Rule::Range | Rule::Time => VenueSeq { first: self.number(era, from) + 1, last, prev: None },
            Rule::Linked | Rule::LinkedIfNumbered => {
                VenueSeq { first: self.number(era, from + 1), last, prev: Some(self.before) }
            }
            Rule::Counter => VenueSeq::at(last),
            Rule::Unnumbered => VenueSeq::default(),
        };
        self.before = last;
        let index = self.updates.len() - 1;
        self.updates[index] = update;
        update
    }

    /// From here on it numbers anew.
    pub(super) fn number_anew(&mut self, anew: Anew) {
        let bases = self.eras.iter().map(|(_, base, _)| *base);
        let base = match anew {
            Anew::Lower | Anew::Linked => bases.min().unwrap_or_default() - APART,
            Anew::Higher => bases.max().unwrap_or_default() + APART,
        };
        self.eras.push((self.now(), base, anew == Anew::Linked));
        if anew != Anew::Linked {
            self.before = base;
        }
    }

    /// The book at a change of the numbering that holds, or held, there.
    fn snapshot_at(&self, era: u32, at: u32) -> Snapshot {
        // Nothing has changed yet in a numbering that is linked: the number is still the one before.
        let is_unbegun = |era: &u32| matches!(self.eras[*era as usize], (first, _, true) if first == at);
        let era = (0..=era).rev().find(|era| !is_unbegun(era)).unwrap_or_default();
        let ts_event = if self.kind.times_snapshots { Self::time(at) } else { 0 };
        let (number, book) = (self.number(era, at), self.books[at as usize]);
        Snapshot { at, era, number, ts_event, book, is_foreign: false }
    }

    /// The book as it stands.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.snapshot_at(self.era(), self.now())
    }

    /// The book so many updates ago, or in the midst of that update where the venue numbers changes.
    pub(super) fn older(&self, updates: usize, into: u32) -> Snapshot {
        let index = self.updates.len().saturating_sub(1 + updates);
        let Update { from, to, era, .. } = self.updates[index];
        let is_by_change = matches!(
            self.kind.product.rule,
            Rule::Range | Rule::Time | Rule::Linked | Rule::LinkedIfNumbered
        );
        let at = if is_by_change { (from + 1 + into % (to - from)).min(to) } else { to };
        self.snapshot_at(era, at)
    }
}
