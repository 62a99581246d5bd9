//! The program: options, runs and rows.

use std::process::ExitCode;
use std::time::Duration;

use crate::comparisons::{BENCHES, Bench, Kind, Rows};
use crate::report::{self, Row};
use crate::timing::{Contender, Rounds, measure};
use crate::workload::{LoadError, Named, Size, WORKLOADS, Workload};
use crate::{frames, gate};

const USAGE: &str =
    "usage: depthwire-bench [--tiny | --quick] [--json FILE] [--bench NAME] [--workload NAME] [--peers]
       depthwire-bench frames WORKLOAD   (the Rust half of addon_call)
       depthwire-bench count GATE…       (under an instruction counter, see bench/gates.mjs)
--peers leaves out the comparisons that the program of peers makes";

/// Adds contenders to a benchmark's comparison over a workload, and rows for what cannot compete.
pub type Peers = for<'a> fn(bench: &str, workload: &'a Workload) -> (Vec<Contender<'a>>, Vec<Row>);

/// Names that other programs answer to; all of them are given the same arguments.
const ELSEWHERE: [&str; 3] = ["addon_call", "shared_book", "js_books"];

impl Size {
    /// Rounds of a comparison.
    const fn rounds(self) -> Rounds {
        let (min, max, budget_ms) = match self {
            Self::Gate | Self::Tiny => (1, 1, 0),
            Self::Quick => (2, 8, 200),
            Self::Full => (30, 32, 20_000),
        };
        Rounds { min, max, budget: Duration::from_millis(budget_ms) }
    }
}

/// The program without peers.
#[must_use]
pub fn main() -> ExitCode {
    start(None)
}

/// The comparisons that have peers, with them.
#[must_use]
pub fn main_with(peers: Peers) -> ExitCode {
    start(Some(peers))
}

fn start(peers: Option<Peers>) -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["frames", name] => find(name).and_then(|workload| {
            frames::serve(
                &workload,
                std::io::stdin().lock(),
                std::io::BufWriter::new(std::io::stdout().lock()),
            )
        }),
        ["count", gates @ ..] => gate::run(gates),
        options => Options::read(options).and_then(|options| options.run(peers)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct Options<'a> {
    size: Size,
    json: Option<&'a str>,
    bench: Option<&'a str>,
    workload: Option<&'a str>,
    peers: bool,
}

impl<'a> Options<'a> {
    fn read(arguments: &[&'a str]) -> Result<Self, String> {
        let mut options = Self { size: Size::Full, json: None, bench: None, workload: None, peers: false };
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            let mut value =
                || rest.next().copied().ok_or_else(|| format!("{argument} wants a value\n{USAGE}"));
            match argument {
                "--tiny" => options.size = Size::Tiny,
                "--quick" => options.size = Size::Quick,
                "--peers" => options.peers = true,
                "--json" => options.json = Some(value()?),
                "--bench" => options.bench = Some(value()?),
                "--workload" => options.workload = Some(value()?),
                _ => return Err(format!("unknown argument {argument}\n{USAGE}")),
            }
        }
        let benches: Vec<_> = BENCHES.iter().map(|bench| bench.name).chain(ELSEWHERE).collect();
        if let Some(name) = options.bench.filter(|name| !benches.contains(name)) {
            return Err(format!("no benchmark {name}; there are {}", benches.join(", ")));
        }
        if let Some(name) = options.workload.filter(|name| Named::find(name).is_none()) {
            return Err(format!("no workload {name}; there are {}", workload_names()));
        }
        Ok(options)
    }

    /// Runs what was asked for, workload by workload. Goes on after a wrong answer and then fails.
    fn run(&self, peers: Option<Peers>) -> Result<(), String> {
        let (mut rows, mut wrong) = (Vec::new(), Vec::new());
        let asked = |bench: &&Bench| {
            self.bench.is_none_or(|name| name == bench.name)
                && if peers.is_some() { bench.has_peers } else { !(self.peers && bench.has_peers) }
        };
        let benches: Vec<_> = BENCHES.iter().filter(asked).collect();
        for named in WORKLOADS.iter().filter(|named| self.workload.is_none_or(|name| name == named.name)) {
            if benches.is_empty() {
                break;
            }
            let mut fail = |what: String| {
                eprintln!("WRONG ANSWER: {what}");
                wrong.push(what);
            };
            match named.load(self.size) {
                Ok(workload) => {
                    for bench in &benches {
                        match run(bench, &workload, self.size, peers) {
                            Ok(found) => rows.extend(found),
                            Err(what) => fail(what),
                        }
                    }
                }
                Err(absent @ LoadError::Absent(_)) => println!("SKIPPED: {}: {absent}", named.name),
                Err(LoadError::Broken(what)) => fail(what),
            }
        }
        if let Some(file) = self.json {
            std::fs::write(file, report::json(&rows)).map_err(|error| format!("{file}: {error}"))?;
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("{} WRONG ANSWERS, see above", wrong.len())) }
    }
}

/// One benchmark over one workload; prints its rows. None where the workload does not hold what it wants.
fn run(bench: &Bench, workload: &Workload, size: Size, peers: Option<Peers>) -> Rows {
    let named = (bench.name, workload.name);
    let at = |what: String| format!("{} {}: {what}", bench.name, workload.name);
    let rows = match bench.kind {
        Kind::Counted(count) => count(workload, size).unwrap_or(Ok(Vec::new())).map_err(at)?,
        Kind::Timed(contenders, figure) => {
            let Some(contenders) = contenders(workload) else { return Ok(Vec::new()) };
            let mut contenders = contenders.map_err(at)?;
            let mut absent = Vec::new();
            if let Some(peers) = peers {
                let (more, rows) = peers(bench.name, workload);
                contenders.extend(more);
                absent = rows;
            }
            let times = measure(&mut contenders, size.rounds()).map_err(|wrong| {
                at(format!("{}: expected {}, got {}", wrong.contender, wrong.expected, wrong.got))
            })?;
            let rows = contenders.iter().zip(times);
            rows.map(|(contender, times)| Row::timed(named, contender, times, figure(times.ns)))
                .chain(absent)
                .collect()
        }
    };
    for row in &rows {
        println!("{}", row.line());
    }
    Ok(rows)
}

fn find(name: &str) -> Result<Workload, String> {
    let named =
        Named::find(name).ok_or_else(|| format!("no workload {name}; there are {}", workload_names()))?;
    named.load(Size::Full).map_err(|error| error.to_string())
}

fn workload_names() -> String {
    WORKLOADS.iter().map(|named| named.name).collect::<Vec<_>>().join(", ")
}
