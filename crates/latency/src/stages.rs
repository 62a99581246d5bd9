//! Where the time of a received message goes, stage by stage.
//!
//! A clock ([`StageClock`]) is told by the engine what has ended, and adds what passed since it was told last to that stage. So the
//! stages of one message add up to its whole time, from its receipt to its frames in the ring, however many events and instruments
//! it holds. One message in `every` is stamped, the others take the way that knows of no stamps. What was stamped goes into
//! histograms: of all messages to three digits, of each instrument to two.

mod times;

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use depthwire_core::types::{Clock, InstrumentHasher, InstrumentId, Stage, TimeNs};

use crate::clock::TickClock;
pub use times::{BOUNDS_NS, QUANTILES, Summary, Times};

/// Most instruments that have histograms of their own: 160 KiB each, 20 MiB together. Messages of further ones count among all, and
/// together as those of others.
pub const INSTRUMENTS_MAX: usize = 128;

/// Most messages that wait to be published, 24 bytes each. One beyond is counted as unpublished.
pub const WAITING_MAX: usize = 1_024;

/// Most messages of which one is stamped.
pub const EVERY_MAX: u32 = 1_000_000;

/// What counts the time of stages.
pub trait Ticks {
    /// The present, in ticks that never go back by much.
    fn ticks(&self) -> u64;

    /// Ticks in nanoseconds.
    fn ns(&self, ticks: u64) -> u64;
}

impl Ticks for TickClock {
    #[inline]
    fn ticks(&self) -> u64 {
        Self::ticks(self)
    }

    #[inline]
    fn ns(&self, ticks: u64) -> u64 {
        Self::ns(self, ticks)
    }
}

/// The clock of the message that is being stamped. Each stamp costs a reading of the ticks and an addition.
#[derive(Debug)]
pub struct StageClock<N, T> {
    /// Of the time of day.
    time: N,
    ticks: T,
    last: Cell<u64>,
    spent: [Cell<u64>; Stage::COUNT],
    /// A bit for each stage that has ended at least once.
    ended: Cell<u8>,
}

impl<N: Clock, T: Ticks> StageClock<N, T> {
    fn begin(&self) {
        self.last.set(self.ticks.ticks());
        self.spent.iter().for_each(|spent| spent.set(0));
        self.ended.set(0);
    }

    const fn has_ended(&self, stage: Stage) -> bool {
        self.ended.get() & (1 << stage as u8) != 0
    }
}

impl<N: Clock, T: Ticks> Clock for StageClock<N, T> {
    #[inline]
    fn now(&self) -> TimeNs {
        self.time.now()
    }

    #[inline]
    fn stamp(&self, stage: Stage) {
        // Another core's counter may be a little behind: then nothing has passed.
        let (last, now) = (self.last.get(), self.ticks.ticks());
        let now = now.max(last);
        let spent = &self.spent[stage as usize];
        spent.set(spent.get() + (now - last));
        self.ended.set(self.ended.get() | 1 << stage as u8);
        self.last.set(now);
    }
}

/// Whose histograms a message belongs to, besides those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// It spoke of no instrument.
    Nobodys,
    /// At this place in the list.
    One(u32),
    Others,
}

/// A message whose frames lie in the ring.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: u64,
    whose: Whose,
}

/// How a stamped message ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The instrument that it spoke of first.
    pub instrument: Option<InstrumentId>,
    /// Whether it put out anything that is to be published.
    pub has_output: bool,
}

/// Samples a stream of messages and keeps the times of their stages.
///
/// Memory: 1.2 MiB, and 160 KiB for each instrument up to [`INSTRUMENTS_MAX`], taken when it is first heard of. Nothing is allocated
/// after that.
#[derive(Debug)]
pub struct Stages<N, T> {
    clock: StageClock<N, T>,
    every: u32,
    /// Messages up to the next one that is stamped, that one included.
    left: u32,
    all: Times,
    others: Times,
    instruments: Vec<(InstrumentId, Times)>,
    places: HashMap<InstrumentId, u32, BuildHasherDefault<InstrumentHasher>>,
    waiting: Vec<Waiting>,
    /// Messages that began, read or not.
    stamped: u64,
    unread: u64,
    unpublished: u64,
}

impl<N: Clock, T: Ticks> Stages<N, T> {
    /// Stamps one message in `every`, from 1 to [`EVERY_MAX`]. `time` is the time of day for what the engine writes meanwhile.
    #[must_use]
    pub fn new(every: u32, time: N, ticks: T) -> Self {
        let every = every.clamp(1, EVERY_MAX);
        Self {
            clock: StageClock {
                time,
                ticks,
                last: Cell::new(0),
                spent: Default::default(),
                ended: Cell::new(0),
            },
            every,
            left: every,
            all: Times::of_all(),
            others: Times::of_one(),
            instruments: Vec::with_capacity(INSTRUMENTS_MAX),
            places: HashMap::with_capacity_and_hasher(INSTRUMENTS_MAX, BuildHasherDefault::default()),
            waiting: Vec::with_capacity(WAITING_MAX),
            stamped: 0,
            unread: 0,
            unpublished: 0,
        }
    }

    /// Counts a message that has been received, and answers whether it is one to be stamped.
    #[inline]
    pub const fn is_due(&mut self) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        self.left = self.every;
        true
    }

    /// A message has been received; what is left of another one before it is forgotten. The clock is for
    /// [`Engine::ingest_stamped`](depthwire_core::engine::Engine::ingest_stamped).
    #[inline]
    pub fn begin(&mut self) -> &StageClock<N, T> {
        self.stamped += 1;
        self.clock.begin();
        &self.clock
    }

    /// What it led to lies where it is read from: [`Stage::Encoded`] ends. One that was not read as it stood is counted and no more,
    /// for its time would say nothing of others. Answers how many wait to be published.
    pub fn end(&mut self, ended: Ended) -> u32 {
        if !self.clock.has_ended(Stage::Decoded) {
            self.unread += 1;
            return self.waiting.len() as u32;
        }
        self.clock.stamp(Stage::Encoded);
        let whose = self.whose(ended.instrument);
        let Self { clock, .. } = self;
        let mut whole = 0;
        let mut times = [None; Stage::COUNT];
        for stage in Stage::ALL {
            if clock.has_ended(stage) {
                let ns = clock.ticks.ns(clock.spent[stage as usize].get());
                // Of nanoseconds, so that they add up however a tick is rounded.
                whole += ns;
                times[stage as usize] = Some(ns);
            }
        }
        let since = clock.last.get();
        self.all.add(&times, whole);
        if let Some(own) = self.of(whose) {
            own.add(&times, whole);
        }
        if ended.has_output {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push(Waiting { since, whose });
            } else {
                self.unpublished += 1;
            }
        }
        self.waiting.len() as u32
    }

    /// Everything that was put out so far has been handed to those who send.
    pub fn published(&mut self) {
        let now = self.clock.ticks.ticks();
        for at in 0..self.waiting.len() {
            let Waiting { since, whose } = self.waiting[at];
            let ns = self.clock.ticks.ns(now.saturating_sub(since));
            self.all.add_one(Stage::Published, ns);
            if let Some(own) = self.of(whose) {
                own.add_one(Stage::Published, ns);
            }
        }
        self.waiting.clear();
    }

    fn whose(&mut self, instrument: Option<InstrumentId>) -> Whose {
        let Some(id) = instrument else { return Whose::Nobodys };
        if let Some(place) = self.places.get(&id) {
            return Whose::One(*place);
        }
        if self.instruments.len() == INSTRUMENTS_MAX {
            return Whose::Others;
        }
        let place = self.instruments.len() as u32;
        self.instruments.push((id, Times::of_one()));
        self.places.insert(id, place);
        Whose::One(place)
    }

    fn of(&mut self, whose: Whose) -> Option<&mut Times> {
        match whose {
            Whose::Nobodys => None,
            Whose::One(place) => self.instruments.get_mut(place as usize).map(|(_, times)| times),
            Whose::Others => Some(&mut self.others),
        }
    }

    /// What the last message that ended spent in a stage, ns; none where it did not have it.
    #[must_use]
    pub fn last_ns(&self, stage: Stage) -> Option<u64> {
        let clock = &self.clock;
        clock.has_ended(stage).then(|| clock.ticks.ns(clock.spent[stage as usize].get()))
    }

    /// One message in so many is stamped.
    #[must_use]
    pub const fn every(&self) -> u32 {
        self.every
    }

    /// Messages that were stamped: those in the histograms, and those that were [`Self::unread`].
    #[must_use]
    pub const fn stamped(&self) -> u64 {
        self.stamped
    }

    /// Stamped messages that could not be read as they stood: damaged ones, those of instruments that are not carried, those that
    /// changed a scale.
    #[must_use]
    pub const fn unread(&self) -> u64 {
        self.unread
    }

    /// Stamped messages that found [`WAITING_MAX`] others waiting to be published.
    #[must_use]
    pub const fn unpublished(&self) -> u64 {
        self.unpublished
    }

    /// The times of all messages.
    #[must_use]
    pub const fn all(&self) -> &Times {
        &self.all
    }

    /// The times of messages whose instruments have no histograms of their own.
    #[must_use]
    pub const fn others(&self) -> &Times {
        &self.others
    }

    /// The times of each instrument's messages, in the order in which they were first heard of. A message of several counts for the one
    /// that it speaks of first.
    pub fn instruments(&self) -> impl Iterator<Item = (InstrumentId, &Times)> {
        self.instruments.iter().map(|(id, times)| (*id, times))
    }
}
