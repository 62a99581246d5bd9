//! The loop around a target: inputs from its corpus and its own generator, changed, checked, and kept where they make
//! it say something new.
//!
//! | variable | meaning |
//! |---|---|
//! | `DEPTHWIRE_FUZZ_INPUTS` | inputs for each target; some thousands unless given |
//! | `DEPTHWIRE_FUZZ_SEED` | seed, decimal |
//! | `DEPTHWIRE_FUZZ_CORPUS=write` | starts without the corpus and writes it anew |

use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::path::PathBuf;
use std::time::Instant;

use crate::memory;
use crate::mutate::{Fields, mutate};
use crate::random::{Random, hash, mix};
use crate::recorded::{Recordings, recordings};

/// Something that reads bytes.
pub trait Target {
    /// Of its corpus file and in what is printed.
    const NAME: &'static str;
    /// Longest input that is tried.
    const INPUT_BYTES_MAX: usize = 2_048;
    /// Heap that a check may take beyond what the target holds, and for each byte of the input.
    const MEMORY: (usize, usize) = (64 << 10, 64);
    /// How many times fewer inputs than others a run without `DEPTHWIRE_FUZZ_INPUTS` takes.
    const SLOWER: usize = 1;
    /// Whether it begins with what is cut from recordings too.
    const IS_RECORDED: bool = false;

    /// Appends an input that is good from beginning to end.
    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>);

    /// What is no good input and worth a change: an error, a page of a proxy.
    fn other_inputs(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Inputs cut from recordings.
    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        let _ = recordings;
        Vec::new()
    }

    /// Notes where the fields of an input are, as far as it can be read.
    fn fields(fields: &mut Fields<'_>);

    /// Reads an input in every way and panics where something does not hold that must. `random` is the input's own.
    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said);
}

/// What a target said of an input: how often each outcome came.
#[derive(Default)]
pub struct Said {
    outcomes: Vec<(u64, u32)>,
    errors: Vec<&'static str>,
}

impl Said {
    pub fn ok(&mut self, outcome: &str) {
        self.note(hash(outcome.as_bytes()));
    }

    pub fn error(&mut self, code: &'static str) {
        self.note(hash(code.as_bytes()));
        self.errors.push(code);
    }

    /// An outcome that is a number, by its size.
    pub fn size(&mut self, of: &str, number: usize) {
        self.note(hash(of.as_bytes()) ^ mix(u64::from(number.checked_ilog2().map_or(0, |bits| bits + 1))));
    }

    fn note(&mut self, outcome: u64) {
        match self.outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, count)) => *count += 1,
            None => self.outcomes.push((outcome, 1)),
        }
    }

    /// A number for the outcomes with their counts, which differ only where they do by half or more.
    fn signature(&self) -> u64 {
        self.outcomes.iter().fold(0, |sum, &(outcome, count)| {
            sum.wrapping_add(mix(outcome.wrapping_add(u64::from(count.ilog2().min(2)) << 32)))
        })
    }
}

/// Inputs kept to be changed further.
const POOL_MAX: usize = 4_096;
/// Bytes of a corpus file.
const CORPUS_BYTES_MAX: usize = 14 << 10;
const INPUTS: usize = if cfg!(debug_assertions) { 4_000 } else { 20_000 };

fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

fn corpus_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name).with_extension("txt")
}

fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "pairs of digits");
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The inputs of a corpus file by their names.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string(corpus_path(name)).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, hex) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_owned(), from_hex(hex))
        })
        .collect()
}

/// Checks one input; the same input is always checked in the same way.
fn check<T: Target>(target: &mut T, bytes: &[u8], turn: u64) -> Said {
    let mut said = Said::default();
    let mut random = Random(hash(bytes) ^ turn);
    let ((), most) = memory::most(|| target.check(bytes, &mut random, &mut said));
    let (base, each) = T::MEMORY;
    let cap = base + each * bytes.len();
    assert!(most <= cap, "{most} bytes of heap for an input of {}, above {cap}", bytes.len());
    said
}

/// [`check`], which on a panic says which input it was, cut down as far as it goes.
fn check_or_tell<T: Target>(make: fn() -> T, target: &mut T, bytes: &[u8], turn: u64, whose: &str) -> Said {
    match catch_unwind(AssertUnwindSafe(|| check(target, bytes, turn))) {
        Ok(said) => said,
        Err(cause) => {
            let hook = take_hook();
            set_hook(Box::new(|_| {}));
            let fails = |bytes: &[u8]| {
                let mut target = make();
                (0..8).any(|turn| catch_unwind(AssertUnwindSafe(|| check(&mut target, bytes, turn))).is_err())
            };
            let least = cut_down(bytes, fails);
            set_hook(hook);
            println!("fuzz {}: {whose} fails\n  found {}\n  cut to {}", T::NAME, hex(bytes), hex(&least));
            resume_unwind(cause)
        }
    }
}

/// A list without what may be missing for it to be still what it is, sought in pieces, halves first.
pub fn cut_down<T: Clone>(list: &[T], is_still: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut least = list.to_vec();
    let mut piece = list.len().div_ceil(2);
    while piece > 0 && is_still(&least) {
        let mut at = 0;
        while at + piece <= least.len() {
            let shorter = [&least[..at], &least[at + piece..]].concat();
            if is_still(&shorter) { least = shorter } else { at += piece }
        }
        piece /= 2;
    }
    least
}

/// Whether the corpus is made anew.
pub fn writes() -> bool {
    std::env::var("DEPTHWIRE_FUZZ_CORPUS").is_ok_and(|what| what == "write")
}

/// Runs a target: its corpus, then as many inputs as asked for.
pub fn run<T: Target>(make: fn() -> T) {
    let writes = writes();
    let seed = setting("DEPTHWIRE_FUZZ_SEED").unwrap_or(0x5eed);
    let inputs = setting("DEPTHWIRE_FUZZ_INPUTS").map_or(INPUTS / T::SLOWER, |inputs| inputs as usize);
    let started = Instant::now();
    let mut target = make();
    let mut seen: HashMap<u64, Vec<u8>> = HashMap::new();
    let mut order = Vec::new();
    let mut pool = Vec::new();
    let stored = corpus(T::NAME);
    assert!(writes || !stored.is_empty(), "{} has no corpus", T::NAME);
    for (name, bytes) in &stored {
        for turn in 0..4 {
            let said = check_or_tell(make, &mut target, bytes, turn, name);
            if !writes && seen.insert(said.signature(), Vec::new()).is_none() {
                pool.push(bytes.clone());
            }
        }
    }
    let replayed = seen.len();
    let mut keep = |target: &mut T, bytes: Vec<u8>, whose| {
        seen.entry(check_or_tell(make, target, &bytes, 0, whose).signature()).or_default();
        pool.push(bytes);
    };
    for bytes in target.other_inputs() {
        keep(&mut target, bytes, "another input");
    }
    let recorded = match T::IS_RECORDED.then(recordings) {
        Some(Some(recordings)) => {
            let inputs = target.recorded(recordings);
            let count = inputs.len();
            inputs.into_iter().for_each(|bytes| keep(&mut target, bytes, "a recorded input"));
            format!(", {count} recorded")
        }
        Some(None) => ", no recordings".to_owned(),
        None => String::new(),
    };
    let mut random = Random(seed ^ hash(T::NAME.as_bytes()));
    for input in 0..inputs {
        let is_good = pool.is_empty() || random.one_in(16);
        let mut bytes = Vec::new();
        if is_good {
            target.generate(&mut random, &mut bytes);
        } else {
            // What was found last is tried more often.
            let newest = pool.len().min(64);
            let parent = if random.one_in(2) {
                pool.len() - 1 - random.below(newest)
            } else {
                random.below(pool.len())
            };
            bytes.clone_from(&pool[parent]);
            let other = random.below(pool.len());
            for _ in 0..=random.below(4) {
                mutate(&mut bytes, &pool[other], T::fields, &mut random);
                bytes.truncate(T::INPUT_BYTES_MAX);
            }
        }
        let said = check_or_tell(make, &mut target, &bytes, 0, &format!("input {input} of seed {seed}"));
        assert!(!is_good || said.errors.is_empty(), "good input {input}: {:?}: {}", said.errors, hex(&bytes));
        let signature = said.signature();
        let known = seen.get(&signature);
        let is_new = known.is_none();
        if is_new && pool.len() < POOL_MAX {
            pool.push(bytes.clone());
        } else if is_new {
            let at = random.below(POOL_MAX);
            pool[at].clone_from(&bytes);
        }
        if is_new {
            order.push(signature);
        }
        if writes && known.is_none_or(|known| bytes.len() < known.len()) {
            seen.insert(signature, bytes);
        } else if is_new {
            seen.insert(signature, Vec::new());
        }
    }
    println!(
        "fuzz {}: {inputs} inputs, {} signatures ({replayed} of {} in the corpus{recorded}), {:.1} s, seed {seed}",
        T::NAME,
        seen.len(),
        stored.len(),
        started.elapsed().as_secs_f64()
    );
    if writes {
        write_corpus(T::NAME, &stored, order.iter().map(|signature| &seen[signature]));
    }
}

/// Keeps what was found by name, and of the rest as many as there is room for, early and late ones alike.
fn write_corpus<'a>(name: &str, stored: &[(String, Vec<u8>)], found: impl Iterator<Item = &'a Vec<u8>>) {
    let mut text = String::new();
    for (name, bytes) in stored.iter().filter(|(name, _)| name.contains('-')) {
        let _ = writeln!(text, "{name} {}", hex(bytes));
    }
    let lines: Vec<_> = found.enumerate().map(|(nth, bytes)| format!("n{nth} {}\n", hex(bytes))).collect();
    let every = lines.iter().map(String::len).sum::<usize>() / CORPUS_BYTES_MAX + 1;
    for line in lines.iter().step_by(every) {
        if text.len() + line.len() <= CORPUS_BYTES_MAX {
            text += line;
        }
    }
    std::fs::write(corpus_path(name), text).expect("the corpus can be written");
}
