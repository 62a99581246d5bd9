//! The machine against a plain model of the promise: *a book is exactly the venue's at a stated number, or it is marked.*
//!
//! A venue that knows the truth (`venue`) says things, and loses, repeats, swaps and renumbers them as a script has it. A
//! reader (`reader`) does what the machine answers, and after every step compares the book that comes of it with the
//! truth: nothing of the model judges by numbers. What must be taken is checked as well as what must not, and in the end
//! every book must be mendable. A machine with a bug in it (`planted`) must be found out.

mod planted;
mod reader;
mod venue;

use super::SnapshotOrigin;
use crate::sequence::Rule;
use crate::types::StaleReason;
use planted::Bug;
use reader::{Broken, Reader};
use venue::{Anew, Kind, Snapshot, Update, Venue};

/// Scripts in a release build; a debug build is some twenty times slower.
const RUNS: u64 = if cfg!(debug_assertions) { 30_000 } else { 1_000_000 };

/// Steps of a script, at most.
const STEPS_MAX: u64 = 60;

/// One thing that happens. Its number chooses among variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// An update comes.
    Update(u32),
    /// An update is lost on the way.
    Drop(u32),
    /// An earlier update comes again.
    Repeat(u32),
    /// Two updates come in the wrong order.
    Swap(u32),
    /// The venue sends its book in the stream.
    Stream,
    /// The same, where it does so with each message; some of them come late.
    Restated(u32),
    /// Time passes, and what is due is asked for.
    Ask(u32),
    /// The answer to the last request, cut some updates ago.
    Answer(u32),
    /// The answer to an earlier request.
    LateAnswer(u32),
    /// The request fails.
    Fail,
    /// A recorded book that names its instrument.
    Recorded(u32),
    /// A recorded book that names none.
    Anonymous(u32),
    /// The same, of another instrument.
    Foreign(u32),
    /// The source speaks of another instrument.
    ForeignHeard,
    /// A doubt, with or without a loss behind it.
    Doubt(u32),
    /// The truth is lost: a contradiction, a limit, the venue's own doubt.
    Lose(u32),
    /// The venue begins anew and says so.
    Restart(u32),
    /// It numbers anew and does not say so.
    Renumber(u32),
    /// A thousand updates come at once.
    Burst,
    /// A book of orders begins.
    Begin,
    /// It is whole.
    Whole,
    /// The clock is set back.
    ClockBack,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

/// The script of a seed.
fn script(seed: u64, out: &mut Vec<Step>) {
    let mut random = Random(seed);
    out.clear();
    for _ in 0..4 + random.next() % (STEPS_MAX - 3) {
        let (dice, number) = (random.next() % 1_000, (random.next() >> 40) as u32);
        out.push(match dice {
            0..400 => Step::Update(number),
            400..460 => Step::Drop(number),
            460..510 => Step::Repeat(number),
            510..540 => Step::Swap(number),
            540..560 => Step::Stream,
            560..570 => Step::Restated(number),
            570..680 => Step::Ask(number),
            680..780 => Step::Answer(number),
            780..800 => Step::LateAnswer(number),
            800..810 => Step::Fail,
            810..835 => Step::Recorded(number),
            835..850 => Step::Anonymous(number),
            850..860 => Step::Foreign(number),
            860..865 => Step::ForeignHeard,
            865..900 => Step::Doubt(number),
            900..920 => Step::Lose(number),
            920..930 => Step::Restart(number),
            930..945 => Step::Renumber(number),
            945 if number % 8 == 0 => Step::Burst,
            945..970 => Step::Begin,
            970..995 => Step::Whole,
            _ => Step::ClockBack,
        });
    }
}

const DOUBTS: [StaleReason; 4] =
    [StaleReason::Silence, StaleReason::Unreadable, StaleReason::SourceFailed, StaleReason::Skipped];
const LOSSES: [StaleReason; 4] =
    [StaleReason::Contradiction, StaleReason::VenueDoubt, StaleReason::LevelsLimit, StaleReason::Gap];

/// A venue, its reader, and what is under way between them. Reused.
struct World {
    venue: Venue,
    reader: Reader,
    /// Something was lost that no number will show: the room tells of it before anything else comes.
    is_lost: bool,
    tickets: Vec<u32>,
    steps: u64,
}

impl World {
    fn new() -> Self {
        let kind = Kind::of(0);
        Self {
            venue: Venue::new(kind),
            reader: Reader::new(kind, None),
            is_lost: false,
            tickets: Vec::new(),
            steps: 0,
        }
    }

    /// Runs a script from the beginning, and mends the book in the end.
    fn run(&mut self, seed: u64, script: &[Step], bug: Option<Bug>) -> Result<(), (usize, Broken)> {
        let kind = Kind::of(seed);
        self.venue.reset(kind);
        self.reader.reset(kind, bug);
        self.is_lost = false;
        self.tickets.clear();
        for (index, step) in script.iter().enumerate() {
            self.steps += 1;
            self.step(*step).map_err(|broken| (index, broken))?;
        }
        let at_end = |broken| (script.len(), broken);
        self.tell_loss().map_err(at_end)?;
        self.reader.heal(&mut self.venue).map_err(at_end)
    }

    fn new_update(&mut self, number: u32) -> Update {
        self.venue.update(1 + number % 3, number >> 2)
    }

    /// An update comes, behind the news of what was lost before it.
    fn deliver(&mut self, update: Update) -> Result<(), Broken> {
        self.tell_loss()?;
        self.reader.update(&self.venue, update)
    }

    fn tell_loss(&mut self) -> Result<(), Broken> {
        if std::mem::take(&mut self.is_lost) {
            self.reader.lose(&self.venue, StaleReason::Gap)?;
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Broken> {
        let kind = self.venue.kind;
        let is_numbered = kind.is_numbered();
        self.reader.now += 1_000_000;
        match step {
            Step::Update(number) => {
                let update = self.new_update(number);
                self.deliver(update)
            }
            Step::Drop(number) => {
                self.new_update(number);
                self.is_lost |= !is_numbered;
                Ok(())
            }
            Step::Repeat(number) if is_numbered => {
                let len = self.venue.updates.len();
                let update = self.venue.updates[len - 1 - number as usize % len.min(6)];
                self.deliver(update)
            }
            Step::Swap(number) => {
                let (first, second) = (self.new_update(number), self.new_update(number >> 1));
                if is_numbered {
                    self.deliver(second)?;
                    return self.deliver(first);
                }
                // The room sees the first one missing.
                self.is_lost = true;
                self.deliver(second)
            }
            Step::Stream if !kind.by_order => {
                self.is_lost = false;
                let snapshot = self.venue.snapshot();
                self.reader.snapshot(&self.venue, snapshot, SnapshotOrigin::Stream, false)
            }
            Step::Restated(number) if !kind.by_order => {
                self.is_lost = false;
                let can_be_late = is_numbered && kind.times_snapshots && kind.times && self.venue.era() == 0;
                let late = self.venue.older(number as usize / 4 % 3, number >> 8);
                let is_late = can_be_late && number % 4 == 0 && late.at > self.reader.floor;
                let snapshot = if is_late { late } else { self.venue.snapshot() };
                self.reader.snapshot(&self.venue, snapshot, SnapshotOrigin::Restated, false)
            }
            Step::Ask(number) => {
                self.reader.now += u64::from(number % 2_000) * 10_000_000;
                self.reader.ask();
                if let Some(ticket) = self.reader.ticket.take() {
                    self.tickets.push(ticket);
                }
                Ok(())
            }
            Step::Answer(number) if is_numbered => match self.tickets.last() {
                Some(&ticket) => {
                    let snapshot = self.cut(number);
                    self.reader.answer(&self.venue, ticket, snapshot)
                }
                None => Ok(()),
            },
            Step::LateAnswer(number) if is_numbered && self.tickets.len() > 1 => {
                let ticket = self.tickets[number as usize % (self.tickets.len() - 1)];
                let snapshot = self.venue.older(number as usize % 12, number >> 8);
                self.reader.answer(&self.venue, ticket, snapshot)
            }
            Step::Fail => {
                self.reader.machine.failed(self.reader.now);
                self.reader.check(&self.venue)
            }
            Step::Recorded(number) if is_numbered => {
                let snapshot = self.cut(number);
                let widens = number % 5 == 0;
                self.reader.snapshot(&self.venue, snapshot, SnapshotOrigin::Recorded, widens)
            }
            Step::Anonymous(number) if is_numbered => {
                let snapshot = self.cut(number);
                self.reader.snapshot(&self.venue, snapshot, SnapshotOrigin::Anonymous, number % 5 == 0)
            }
            Step::Foreign(number) if is_numbered => {
                let own = self.cut(number);
                let number = match number % 3 {
                    0 => own.number,
                    1 => own.number + 100_000,
                    _ => own.number - 100_000,
                };
                let book = own.book.map(|change| change.wrapping_add(7));
                let foreign = Snapshot { number, book, is_foreign: true, ..own };
                self.reader.snapshot(&self.venue, foreign, SnapshotOrigin::Anonymous, number % 2 == 0)
            }
            Step::ForeignHeard => self.reader.foreign_heard(&self.venue),
            Step::Doubt(number) => {
                let reason = DOUBTS[number as usize % DOUBTS.len()];
                // Silence is where nothing was lost, or a source that cannot tell.
                if number >> 8 & 1 == 0 && (is_numbered || reason != StaleReason::Silence) {
                    self.new_update(number >> 9);
                }
                self.reader.lose(&self.venue, reason)
            }
            Step::Lose(number) => {
                self.is_lost = false;
                self.reader.lose(&self.venue, LOSSES[number as usize % LOSSES.len()])
            }
            Step::Restart(number) => {
                self.is_lost = false;
                if number % 2 == 0 {
                    self.venue.number_anew(if number % 4 == 0 { Anew::Lower } else { Anew::Higher });
                }
                self.reader.restart(&self.venue)
            }
            Step::Renumber(number) if is_numbered => {
                let is_linked =
                    matches!(kind.product.rule, Rule::Linked | Rule::LinkedIfNumbered) && number % 3 == 0;
                self.venue.number_anew(match number % 3 {
                    0 if is_linked => Anew::Linked,
                    0 | 1 => Anew::Lower,
                    _ => Anew::Higher,
                });
                Ok(())
            }
            Step::Burst => {
                for number in 0..super::OLD_IN_ROW_MAX + 2 {
                    let update = self.new_update(number % 2);
                    self.deliver(update)?;
                }
                self.steps += u64::from(super::OLD_IN_ROW_MAX);
                Ok(())
            }
            Step::Begin if kind.by_order => {
                self.is_lost = false;
                self.reader.order_book(&self.venue, true)
            }
            Step::Whole if kind.by_order => {
                self.tell_loss()?;
                self.reader.order_book(&self.venue, false)
            }
            Step::ClockBack => {
                self.reader.now -= self.reader.now.min(3_600_000_000_000) / 2;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A book of now, or of some updates ago.
    fn cut(&self, number: u32) -> Snapshot {
        let cut = match number % 4 {
            0 => self.venue.snapshot(),
            1 => self.venue.older(0, number >> 8),
            2 => self.venue.older(1, number >> 8),
            _ => self.venue.older((number >> 4) as usize % 12, number >> 8),
        };
        // What was asked before a restart is void.
        if cut.at <= self.reader.floor { self.venue.snapshot() } else { cut }
    }
}

/// The shortest script found that breaks the promise in the same way, by leaving out one step after another.
fn shrunk(world: &mut World, seed: u64, script: &[Step], bug: Option<Bug>, broken: Broken) -> Vec<Step> {
    let mut kept = script.to_vec();
    let mut index = kept.len();
    while index > 0 {
        index -= 1;
        let mut fewer = kept.clone();
        fewer.remove(index);
        if world.run(seed, &fewer, bug).is_err_and(|(_, again)| again == broken) {
            kept = fewer;
            index = index.min(kept.len());
        }
    }
    kept
}

/// Runs scripts until one breaks the promise. What it says of that one; none in `runs` otherwise.
fn campaign(world: &mut World, runs: u64, bug: Option<Bug>) -> Option<String> {
    let mut steps = Vec::new();
    for seed in 0..runs {
        script(seed, &mut steps);
        if let Err((at, broken)) = world.run(seed, &steps, bug) {
            let kept = shrunk(world, seed, &steps[..steps.len().min(at + 1)], bug, broken);
            let kind = Kind::of(seed);
            let (rule, times) = (kind.product.rule, (kind.times, kind.times_snapshots));
            return Some(format!(
                "{broken} (seed {seed}, {rule:?}, by order {}, times {times:?}): {kept:?}",
                kind.by_order
            ));
        }
    }
    None
}

#[test]
fn a_book_is_the_venues_or_it_is_marked() {
    let mut world = World::new();
    let broken = campaign(&mut world, RUNS, None);
    assert_eq!(broken, None);
    println!("{RUNS} scripts, {} steps", world.steps);
    assert!(world.steps > RUNS * 20);
    if RUNS >= 1_000_000 {
        assert!(world.steps >= 10_000_000);
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut world = World::new();
    for bug in Bug::ALL {
        let found = campaign(&mut world, 20_000, Some(bug));
        println!("{bug:?}: {}", found.as_deref().unwrap_or("NOT FOUND"));
        assert!(found.is_some(), "{bug:?} is not found");
    }
}

#[test]
fn a_seed_is_a_script() {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    script(5, &mut one);
    script(5, &mut other);
    assert_eq!(one, other);
    script(6, &mut other);
    assert_ne!(one, other);
}
