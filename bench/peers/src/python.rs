//! Books of others that are Python packages, each in a process of its own that takes turns with this one: one question
//! a round, answered by the nanoseconds of its timed part and by what came out (`python/rounds.py`).

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use depthwire_bench::l3_answer::{OrderBooks, replay_itch};
use depthwire_bench::report::Row;
use depthwire_bench::timing::{Contender, Run};
use depthwire_bench::workload::{
    CheckedStream, CheckedStreams, ItchStream, LevelStream, LevelUpdate, Workload,
};
use depthwire_core::book::l3::{BookIndex, NaiveL3};
use depthwire_core::types::{Instrument, Level, Levels, Side, Venue};
use depthwire_core::venues::{BITGET, BITGET_USDT_FUTURES, KRAKEN, OKX};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The interpreter of the virtual environment in which the packages are.
const INTERPRETER: &str = "DEPTHWIRE_PEERS_PYTHON";

/// Frames that the price-level book gets: reading it costs it milliseconds.
const FRAMES_MAX: usize = 300;

const NAMES: [&str; 4] = ["itch-book", "itch-book, tops", "order-book", "cryptofeed"];

/// Products whose frames `cryptofeed` reads: of Kraken those of version 1 only.
const CRYPTOFEED: [Venue; 4] = [KRAKEN, OKX, BITGET, BITGET_USDT_FUTURES];

/// `order-book` over the first frames of a recording.
pub fn level_books(workload: &Workload) -> (Vec<Contender<'_>>, Vec<Row>) {
    let (Some(stream), Some(_)) = (&workload.levels, &workload.recording) else { return Default::default() };
    let contenders = || {
        let updates: Vec<LevelUpdate> = stream.updates.iter().take(FRAMES_MAX).cloned().collect();
        let first = LevelStream::new(stream.books.clone(), updates)?;
        let answer = first.answer.clone();
        start("l2_apply.py", &words(&first), &[], &answer)
    };
    let noted = |contenders: Vec<Contender<'static>>| {
        contenders.into_iter().map(|each| each.noted("the first 300 frames")).collect()
    };
    or_absent(contenders().map(noted), ("l2_apply", workload.name), "order-book", "ns/level change")
}

/// `itch-book` over a day's bytes.
pub fn itch_market(workload: &Workload) -> (Vec<Contender<'_>>, Vec<Row>) {
    let Some(stream) = &workload.itch else { return Default::default() };
    let contenders = || {
        let lead = stream.lead_bytes.to_string();
        start("itch_market.py", &stream.bytes, &["--lead", &lead], &tops_at_the_end(stream)?)
    };
    let note = "bytes to books; its tops are compared at the end";
    let noted =
        |contenders: Vec<Contender<'static>>| contenders.into_iter().map(|each| each.noted(note)).collect();
    or_absent(contenders().map(noted), ("itch_market", workload.name), "itch-book", "ns/message")
}

/// `cryptofeed` over the frames of venues with checksums, once a round.
pub fn checked_feed(workload: &Workload) -> (Vec<Contender<'_>>, Vec<Row>) {
    let Some(streams) = &workload.checked else { return Default::default() };
    let is_read = |(_, frame): (usize, &[u8])| !frame.starts_with(b"{\"channel\":");
    if !streams.streams.iter().all(|of| CRYPTOFEED.contains(&of.venue)) || !streams.frames().all(is_read) {
        return Default::default();
    }
    // Of a message of two objects it does not look at the second one, which holds the checksum.
    let is_of_two = |(_, frame): &(usize, &[u8])| frame.windows(5).any(|bytes| bytes == b"]},{\"");
    let unseen = streams.frames().filter(|frame| frame.1.starts_with(b"[") && is_of_two(frame)).count();
    let checksums = streams.streams.iter().map(|of| of.checksums).sum::<u64>() - unseen as u64;
    let answer = format!("{checksums} of {checksums} checksums agree");
    let contenders = start("checked_feed.py", &frames(streams), &[], &answer);
    let noted = |contenders: Vec<Contender<'static>>| {
        contenders.into_iter().map(|each| each.noted("the recordings once a round")).collect()
    };
    or_absent(contenders.map(noted), ("checked_feed", workload.name), "cryptofeed", "frames/s")
}

fn or_absent(
    found: Result<Vec<Contender<'static>>, String>,
    named: (&'static str, &'static str),
    package: &'static str,
    unit: &'static str,
) -> (Vec<Contender<'static>>, Vec<Row>) {
    match found {
        Ok(contenders) => (contenders, Vec::new()),
        Err(why) => (Vec::new(), vec![Row::absent(named, package, unit, &why)]),
    }
}

/// A running program and the file that it reads.
struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    input: PathBuf,
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    contenders: Vec<Offered>,
    skipped: Option<String>,
}

#[derive(Deserialize)]
struct Offered {
    contender: String,
    count: u64,
}

#[derive(Deserialize)]
struct Answer {
    ns: u64,
    answer: String,
}

fn start(
    program: &str,
    input: &[u8],
    options: &[&str],
    expected: &str,
) -> Result<Vec<Contender<'static>>, String> {
    let interpreter = std::env::var(INTERPRETER).map_err(|_| format!("{INTERPRETER} is not set"))?;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python").join(program);
    let file = std::env::temp_dir().join(format!("depthwire-{}-{program}.input", std::process::id()));
    std::fs::write(&file, input).map_err(|error| error.to_string())?;
    let mut child = Command::new(interpreter)
        .arg(script)
        .arg(&file)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the process has no pipes".to_owned());
    };
    let mut process = Process { child, questions, answers: BufReader::new(answers), input: file };
    let about: About = process.read()?;
    if let Some(why) = about.skipped {
        return Err(why);
    }
    let process = Rc::new(RefCell::new(process));
    let contenders = about.contenders.into_iter().filter_map(|Offered { contender, count }| {
        let name = NAMES.into_iter().find(|name| *name == contender)?;
        let process = process.clone();
        let run = move || match process.borrow_mut().run(name) {
            Ok(Answer { ns, answer }) => Run { elapsed: Duration::from_nanos(ns), answer },
            Err(what) => Run::failed(what),
        };
        Some(Contender::new(name, count, expected.to_owned(), run))
    });
    Ok(contenders.collect())
}

impl Process {
    fn run(&mut self, contender: &str) -> Result<Answer, String> {
        writeln!(self.questions, "run {contender}").map_err(|error| error.to_string())?;
        self.questions.flush().map_err(|error| error.to_string())?;
        self.read()
    }

    fn read<T: for<'a> Deserialize<'a>>(&mut self) -> Result<T, String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| error.to_string())?;
        sonic_rs::from_str(&line).map_err(|error| format!("{line:?} is no answer: {error}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends by itself when its input does; whatever it is at, its time is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.input);
    }
}

/// Exponents, then each frame: numbers of bids and asks, and their prices and quantities in turn.
fn words(stream: &LevelStream) -> Vec<u8> {
    let mut words = Vec::new();
    for book in &stream.books {
        words.extend([i64::from(book.price_exponent), i64::from(book.qty_exponent)]);
        let frames =
            std::iter::once(&book.snapshot).chain(stream.updates.iter().map(|update| &update.levels));
        for Levels { bids, asks } in frames {
            words.extend([bids.len() as i64, asks.len() as i64]);
            words.extend(bids.iter().chain(asks).flat_map(|level| [level.price.0, level.qty.0]));
        }
    }
    words.into_iter().flat_map(i64::to_le_bytes).collect()
}

/// Whose they are as JSON, then each frame behind the number of its connection.
fn frames(streams: &CheckedStreams) -> Vec<u8> {
    let about = |of: &CheckedStream| {
        let codes = of.instruments.iter().flat_map(Instrument::wire_codes);
        let codes = codes.map(|code| format!("{:?}", String::from_utf8_lossy(code)));
        let codes = codes.collect::<Vec<_>>().join(",");
        format!(r#"{{"venue":"{}","codes":[{codes}]}}"#, of.venue.name())
    };
    let about = streams.streams.iter().map(about).collect::<Vec<_>>().join(",");
    let mut lines = format!("[{about}]\n").into_bytes();
    for (connection, frame) in streams.frames() {
        lines.extend_from_slice(format!("{connection} ").as_bytes());
        lines.extend_from_slice(frame);
        lines.push(b'\n');
    }
    lines
}

/// SHA-256 over a line for each book that holds something, and the orders that rest.
fn tops_at_the_end(stream: &ItchStream) -> Result<String, String> {
    let mut oracle = NaiveL3::open_all(&stream.spec, &stream.books)?;
    replay_itch(&mut oracle, stream.lead());
    replay_itch(&mut oracle, stream.measured());
    let mut hash = Sha256::new();
    for locate in 0..stream.books.len() {
        let book = BookIndex(locate as u32);
        if oracle.len(book, Side::Bid) + oracle.len(book, Side::Ask) > 0 {
            let bbo = OrderBooks::bbo(&oracle, book);
            let (bid, ask): (Level, Level) = (bbo.bid.unwrap_or_default(), bbo.ask.unwrap_or_default());
            let line = format!("{locate} {} {} {} {}\n", bid.price.0, bid.qty.0, ask.price.0, ask.qty.0);
            hash.update(line);
        }
    }
    let hex = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Ok(format!("tops {hex}, orders {}, refused 0", oracle.orders_len()))
}
