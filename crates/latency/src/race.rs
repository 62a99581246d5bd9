//! Who is first: two lines that carry the same messages, matched by what they carry, on the one clock that both were recorded with.
//!
//! No clock is compared with another, so nothing has to be synchronised. Messages match by their bytes: two lines of a feed, or two
//! connections of a venue, carry the same ones. What occurs more than once on a line (a heartbeat) names no message, and is left out and counted.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::Hasher;

use depthwire_core::recording::{Heard, Transcript};
use depthwire_core::types::TimeNs;
use serde::Serialize;

use crate::fault::Fault;

/// Messages of both sides together: some 48 bytes of memory each.
pub const MESSAGES_MAX: usize = 40_000_000;
/// Lines of a recording that are told apart.
const LINES_MAX: usize = 4_096;

/// What names a message: a hash of its bytes, and how many they are.
type Key = (u64, u32);

/// Reads one or two recordings.
#[derive(Debug, Default)]
pub struct Race {
    transcripts: [Transcript; 2],
    /// Each line that has spoken: of which recording, where it leads, its messages.
    lines: Vec<Spoken>,
    messages: usize,
    /// Received messages whose time the recording does not say.
    timeless: u64,
    /// Entries that could not be read.
    unread: u64,
}

#[derive(Debug)]
struct Spoken {
    recording: usize,
    line: u32,
    address: String,
    heard: HashMap<Key, When>,
    messages: u64,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Once(TimeNs),
    Often,
}

/// Who was first, and by how much. Times in ns.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RaceReport {
    /// The two sides.
    pub sides: [Side; 2],
    /// Messages that both had.
    pub matched: u64,
    /// Those that came at one time.
    pub ties: u64,
    /// Time of the first side less that of the second, ascending quantiles: above 0 where the second was first.
    pub difference: Difference,
    /// Lines of the recordings, those of neither side included, and how many messages each had.
    pub lines: Vec<(String, u64)>,
    /// Entries that could not be read.
    pub unread: u64,
}

/// One side of the race.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// What it is called: an address, or which recording.
    pub name: String,
    /// Its messages.
    pub messages: u64,
    /// Messages whose bytes it had more than once.
    pub ambiguous: u64,
    /// Messages that the other never had.
    pub alone: u64,
    /// Messages that it had before the other.
    pub first: u64,
    /// By how much it was, where it was.
    pub lead: Difference,
}

/// Quantiles of times with a sign, ns; all 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// How many there are.
    pub count: u64,
    /// The least.
    pub min: i64,
    /// 1 %.
    pub p1: i64,
    /// 10 %.
    pub p10: i64,
    /// 50 %.
    pub p50: i64,
    /// 90 %.
    pub p90: i64,
    /// 99 %.
    pub p99: i64,
    /// The greatest.
    pub max: i64,
}

impl Race {
    /// Takes a chunk of the first (0) or the second (1) recording. Returns how many of its bytes are used: the rest goes in again,
    /// unchanged, at the head of the next chunk. `is_last`: none follows.
    ///
    /// # Errors
    /// `bench.recording`: no recording, or too long a one.
    pub fn take(&mut self, recording: usize, bytes: &[u8], is_last: bool) -> Result<usize, Fault> {
        let mut at = 0;
        loop {
            let transcript = &mut self.transcripts[recording & 1];
            match transcript.next(bytes, at, is_last) {
                Ok(entry) => {
                    at = entry.end;
                    match entry.heard {
                        Ok(Heard::Received { line, bytes }) if entry.ts > 0 => {
                            let (key, ts) = (key_of(bytes), entry.ts);
                            self.heard(recording & 1, line, key, ts)?;
                        }
                        Ok(Heard::Received { .. }) => self.timeless += 1,
                        Ok(_) => {}
                        Err(_) => self.unread += 1,
                    }
                }
                Err(used) => {
                    if is_last {
                        transcript.file_ended();
                    }
                    return Ok(used);
                }
            }
        }
    }

    fn heard(&mut self, recording: usize, line: u32, key: Key, ts: TimeNs) -> Result<(), Fault> {
        self.messages += 1;
        if self.messages > MESSAGES_MAX {
            let fix = "take shorter recordings";
            let expected = format!("{MESSAGES_MAX} messages at most");
            return Err(Fault::new("bench.recording", "too long a race", [&expected, "more"], fix));
        }
        let is_it = |spoken: &Spoken| spoken.recording == recording && spoken.line == line;
        let place = match self.lines.iter().position(is_it) {
            Some(place) => place,
            None if self.lines.len() < LINES_MAX => {
                let address = String::from_utf8_lossy(self.transcripts[recording].address(line)).into_owned();
                self.lines.push(Spoken { recording, line, address, heard: HashMap::new(), messages: 0 });
                self.lines.len() - 1
            }
            None => {
                let (fix, expected) = ("take a capture of the two lines alone", format!("{LINES_MAX} lines"));
                return Err(Fault::new("bench.recording", "too many lines", [&expected, "more"], fix));
            }
        };
        let spoken = &mut self.lines[place];
        spoken.messages += 1;
        match spoken.heard.entry(key) {
            Entry::Occupied(mut again) => *again.get_mut() = When::Often,
            Entry::Vacant(new) => {
                new.insert(When::Once(ts));
            }
        }
        Ok(())
    }

    /// Who was first. `names`: the addresses of two lines of one recording; none: with one recording its two lines of most messages,
    /// with two all lines of each.
    ///
    /// # Errors
    /// `bench.recording`: no times, no two sides, no such line.
    pub fn report(&self, names: Option<[&str; 2]>) -> Result<RaceReport, Fault> {
        let lines: Vec<_> = self.lines.iter().map(|spoken| (spoken.name(), spoken.messages)).collect();
        let told = lines.iter().map(|(name, messages)| format!("{name} ({messages})")).collect::<Vec<_>>();
        let told = if told.is_empty() { "no message with a time".to_owned() } else { told.join(", ") };
        let lacks = |what: &str, expected: &str, fix| {
            Fault::new("bench.recording", what, [expected, told.as_str()], fix)
        };
        if self.timeless > 0 {
            let fix = "record with the time of receipt: a packet capture has it, DBN and ITCH files have the venue's alone";
            return Err(lacks("a recording does not say when messages came", "a time of receipt", fix));
        }
        let mut most: Vec<&Spoken> = self.lines.iter().collect();
        most.sort_by_key(|spoken| std::cmp::Reverse(spoken.messages));
        let is_two = self.lines.iter().any(|spoken| spoken.recording == 1);
        let sides: [Vec<&Spoken>; 2] = match (names, is_two) {
            (Some(names), _) => {
                let mut found = [Vec::new(), Vec::new()];
                for (side, name) in found.iter_mut().zip(names) {
                    side.extend(self.lines.iter().filter(|spoken| spoken.name() == name));
                    if side.is_empty() {
                        let fix = "name two of these with --lines";
                        return Err(lacks(&format!("no line {name}"), "a line of the recording", fix));
                    }
                }
                found
            }
            (None, true) => {
                [0, 1].map(|of| self.lines.iter().filter(|spoken| spoken.recording == of).collect())
            }
            (None, false) => {
                let mut two: Vec<_> = most.into_iter().take(2).collect();
                // Of two that speak alike often, it is no matter of chance which is which.
                two.sort_by_key(|spoken| spoken.name());
                match two[..] {
                    [a, b] => [vec![a], vec![b]],
                    _ => {
                        let fix = "give a second recording of the same messages";
                        return Err(lacks("a race of one", "two lines", fix));
                    }
                }
            }
        };
        if sides.iter().any(Vec::is_empty) {
            return Err(lacks("a race of one", "messages in both recordings", "take recordings of one time"));
        }
        Ok(between(&sides, lines, self.unread))
    }
}

impl Spoken {
    fn name(&self) -> String {
        match self.address.as_str() {
            "" => format!("recording {} line {}", self.recording + 1, self.line),
            address => address.to_owned(),
        }
    }
}

/// The messages of a side by their bytes.
fn joined(side: &[&Spoken]) -> HashMap<Key, When> {
    let mut all = HashMap::with_capacity(side.iter().map(|spoken| spoken.heard.len()).sum());
    for spoken in side {
        for (key, when) in &spoken.heard {
            all.entry(*key).and_modify(|known| *known = When::Often).or_insert(*when);
        }
    }
    all
}

fn between(sides: &[Vec<&Spoken>; 2], lines: Vec<(String, u64)>, unread: u64) -> RaceReport {
    let heard = [joined(&sides[0]), joined(&sides[1])];
    let (mut differences, mut ties) = (Vec::new(), 0);
    let mut told: Vec<Side> = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        let names: Vec<_> = side.iter().map(|spoken| spoken.name()).collect();
        let (mut ambiguous, mut alone) = (0, 0);
        for (key, when) in &heard[at] {
            match (when, heard[1 - at].get(key)) {
                (When::Often, _) => ambiguous += 1,
                (When::Once(_), None) => alone += 1,
                // The other side counts it.
                (When::Once(_), Some(When::Often)) => {}
                (When::Once(mine), Some(When::Once(theirs))) if at == 0 => {
                    differences.push((*mine as i64).wrapping_sub(*theirs as i64));
                    ties += u64::from(mine == theirs);
                }
                (When::Once(_), Some(When::Once(_))) => {}
            }
        }
        let messages = side.iter().map(|spoken| spoken.messages).sum();
        let name = if names.len() > 3 { format!("recording {}", at + 1) } else { names.join(" + ") };
        told.push(Side { name, messages, ambiguous, alone, first: 0, lead: Difference::default() });
    }
    let leads = [
        differences.iter().filter(|of| **of < 0).map(|of| -of).collect::<Vec<_>>(),
        differences.iter().filter(|of| **of > 0).copied().collect(),
    ];
    for (side, lead) in told.iter_mut().zip(leads) {
        side.first = lead.len() as u64;
        side.lead = Difference::of(lead);
    }
    let mut told = told.into_iter();
    let mut next = || told.next().unwrap_or_else(Side::none);
    RaceReport {
        sides: [next(), next()],
        matched: differences.len() as u64,
        ties,
        difference: Difference::of(differences),
        lines,
        unread,
    }
}

impl Side {
    fn none() -> Self {
        Self {
            name: String::new(),
            messages: 0,
            ambiguous: 0,
            alone: 0,
            first: 0,
            lead: Difference::default(),
        }
    }
}

impl Difference {
    fn of(mut all: Vec<i64>) -> Self {
        all.sort_unstable();
        let count = all.len();
        // The least that so many do not exceed.
        let at = |share: usize| {
            let place = (count * share).div_ceil(100).max(1) - 1;
            all.get(place).copied().unwrap_or(0)
        };
        Self {
            count: count as u64,
            min: all.first().copied().unwrap_or(0),
            p1: at(1),
            p10: at(10),
            p50: at(50),
            p90: at(90),
            p99: at(99),
            max: all.last().copied().unwrap_or(0),
        }
    }
}

fn key_of(bytes: &[u8]) -> Key {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    (hasher.finish(), bytes.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a collector: receive time and message.
    fn recording(messages: impl Iterator<Item = (u64, u64)>) -> Vec<u8> {
        let line = |(ts, number): (u64, u64)| {
            format!("{} {{\"e\":\"x\",\"n\":{number}}}\n", 1_700_000_000_000_000_000 + ts)
        };
        messages.map(line).collect::<String>().into_bytes()
    }

    fn raced(first: &[u8], second: &[u8], chunk: usize) -> Race {
        let mut race = Race::default();
        for (at, bytes) in [first, second].into_iter().enumerate() {
            let (mut from, mut to) = (0, 0);
            while to < bytes.len() {
                to = (to + chunk).min(bytes.len());
                from += race.take(at, &bytes[from..to], to == bytes.len()).unwrap();
            }
        }
        race
    }

    #[test]
    fn known_offsets_are_found() {
        let numbers = 0..2_000_u64;
        let first = recording(numbers.clone().map(|n| (n * 1_000_000, n)));
        // Behind by 250 µs, but every tenth ahead by 100 µs; the last hundred are missing, and there is one more.
        let offset = |n: u64| if n.is_multiple_of(10) { -100_000_i64 } else { 250_000 };
        let there =
            numbers.filter(|n| *n < 1_900).map(|n| ((n * 1_000_000).wrapping_add_signed(offset(n)), n));
        let second = recording(there.skip(1).chain([(5, 9_999)]));
        for chunk in [1_000, 1 << 20] {
            let report = raced(&first, &second, chunk).report(None).unwrap();
            assert_eq!((report.matched, report.ties, report.unread), (1_899, 0, 0));
            assert_eq!(
                [&report.sides[0], &report.sides[1]].map(|side| (side.first, side.alone)),
                [(1_710, 101), (189, 1)]
            );
            assert_eq!((report.difference.p50, report.difference.max), (-250_000, 100_000));
            assert_eq!([report.sides[0].lead.p50, report.sides[1].lead.p50], [250_000, 100_000]);
        }
    }

    #[test]
    fn what_comes_twice_names_nothing() {
        let first = recording([(1, 1), (2, 2), (3, 1)].into_iter());
        let second = recording([(4, 1), (5, 2)].into_iter());
        let report = raced(&first, &second, 1 << 20).report(None).unwrap();
        assert_eq!((report.matched, report.sides[0].ambiguous, report.sides[1].ambiguous), (1, 1, 0));
        assert_eq!((report.sides[0].alone, report.sides[1].alone), (0, 0));
    }

    #[test]
    fn a_race_of_one_is_refused() {
        let one = recording([(1, 1)].into_iter());
        assert_eq!(raced(&one, b"", 1 << 20).report(None).unwrap_err().code, "bench.recording");
        assert_eq!(Race::default().report(None).unwrap_err().code, "bench.recording");
        let two = raced(&one, &one, 1 << 20);
        assert_eq!(two.report(Some(["x", "y"])).unwrap_err().what, "no line x");
    }

    #[test]
    fn quantiles_have_a_sign() {
        let found = Difference::of((-50..50).collect());
        assert_eq!((found.count, found.min, found.p1, found.p50, found.max), (100, -50, -50, -1, 49));
        assert_eq!(Difference::of(Vec::new()), Difference::default());
    }
}
