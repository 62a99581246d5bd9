//! The engine's benchmarks over named workloads. Every run's answer is compared: another one ends the program with exit
//! code 1. How to run and read them stands in `bench/README.md`.

#![allow(clippy::float_arithmetic, reason = "statistics of times are no book")]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")
)]

mod allocations;
mod answer;
mod frames;
mod l2_apply;
mod pipeline;
mod report;
mod timing;
mod workload;

use std::process::ExitCode;

use report::Row;
use timing::{Contender, Run, measure};
use workload::{LoadError, Named, WORKLOADS, Workload};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const USAGE: &str = "usage: depthwire-bench [--tiny] [--json FILE] [--bench NAME] [--workload NAME]
       depthwire-bench passes BOOK WORKLOAD COUNT   (l2_apply's passes alone, to count instructions)
       depthwire-bench frames WORKLOAD              (the Rust half of addon_call)";

const BENCHES: [&str; 3] = ["l2_apply", "pipeline", "allocations"];

/// The one that Node runs; all of them are given the same arguments.
const ADDON_BENCH: &str = "addon_call";

/// Rounds of a full run, and of a tiny one, whose times mean nothing.
const ROUNDS: usize = 32;
const ROUNDS_TINY: usize = 1;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["passes", book, name, count] => passes(book, name, count),
        ["frames", name] => find(name).and_then(|workload| {
            frames::serve(
                &workload,
                std::io::stdin().lock(),
                std::io::BufWriter::new(std::io::stdout().lock()),
            )
        }),
        options => Options::read(options).and_then(|options| options.run()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Default)]
struct Options<'a> {
    tiny: bool,
    json: Option<&'a str>,
    bench: Option<&'a str>,
    workload: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn read(arguments: &[&'a str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            let mut value =
                || rest.next().copied().ok_or_else(|| format!("{argument} wants a value\n{USAGE}"));
            match argument {
                "--tiny" => options.tiny = true,
                "--json" => options.json = Some(value()?),
                "--bench" => options.bench = Some(value()?),
                "--workload" => options.workload = Some(value()?),
                _ => return Err(format!("unknown argument {argument}\n{USAGE}")),
            }
        }
        if let Some(name) = options.bench.filter(|name| !BENCHES.contains(name) && *name != ADDON_BENCH) {
            return Err(format!("no benchmark {name}; there are {}, {ADDON_BENCH}", BENCHES.join(", ")));
        }
        if let Some(name) = options.workload.filter(|name| Named::find(name).is_none()) {
            return Err(format!(
                "no workload {name}; there are {}",
                WORKLOADS.map(|named| named.name).join(", ")
            ));
        }
        Ok(options)
    }

    /// Runs what was asked for, workload by workload. Goes on after a wrong answer and then fails.
    fn run(&self) -> Result<(), String> {
        let rounds = if self.tiny { ROUNDS_TINY } else { ROUNDS };
        let (mut rows, mut wrong) = (Vec::new(), Vec::new());
        for named in WORKLOADS.into_iter().filter(|named| self.workload.is_none_or(|name| name == named.name))
        {
            match named.load() {
                Ok(workload) => {
                    for bench in
                        BENCHES.into_iter().filter(|bench| self.bench.is_none_or(|name| name == *bench))
                    {
                        match run(bench, &workload, rounds) {
                            Ok(found) => rows.extend(found),
                            Err(what) => {
                                eprintln!("WRONG ANSWER: {what}");
                                wrong.push(what);
                            }
                        }
                    }
                }
                Err(absent @ LoadError::Absent(_)) => println!("SKIPPED: {}: {absent}", named.name),
                Err(LoadError::Broken(what)) => {
                    eprintln!("WRONG ANSWER: {what}");
                    wrong.push(what);
                }
            }
        }
        if let Some(file) = self.json {
            std::fs::write(file, report::json(&rows, rounds)).map_err(|error| format!("{file}: {error}"))?;
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("{} WRONG ANSWERS, see above", wrong.len())) }
    }
}

/// One benchmark over one workload; prints its rows.
fn run(bench: &'static str, workload: &Workload, rounds: usize) -> Result<Vec<Row>, String> {
    let rows = match bench {
        "l2_apply" => {
            timed(bench, workload, l2_apply::contenders(workload), rounds, |ns| ("ns/level change", ns))?
        }
        "pipeline" => {
            timed(bench, workload, pipeline::contenders(workload)?, rounds, |ns| ("frames/s", 1e9 / ns))?
        }
        _ => counted(bench, workload)?,
    };
    for row in &rows {
        println!("{}", row.line());
    }
    Ok(rows)
}

/// Rows of contenders that take turns; `figure` makes nanoseconds for each thing done into the unit and its number.
fn timed(
    bench: &'static str,
    workload: &Workload,
    mut contenders: Vec<Contender<'_>>,
    rounds: usize,
    figure: fn(f64) -> (&'static str, f64),
) -> Result<Vec<Row>, String> {
    let times = measure(&mut contenders, rounds).map_err(|wrong| {
        format!(
            "{bench} {} {}: expected {}, got {}",
            workload.name, wrong.contender, wrong.expected, wrong.got
        )
    })?;
    let rows = times.into_iter().zip(contenders).map(|(times, contender)| {
        let (unit, median) = figure(times.ns);
        let (workload, answer) = (workload.name, contender.expected);
        let (spread, ratio) = (Some(times.spread), Some(times.ratio));
        Row { bench, workload, contender: contender.name, unit, median, spread, ratio, answer }
    });
    Ok(rows.collect())
}

fn counted(bench: &'static str, workload: &Workload) -> Result<Vec<Row>, String> {
    let counts =
        allocations::count_all(workload).map_err(|what| format!("{bench} {}: {what}", workload.name))?;
    let row = |counted| {
        let allocations::Counted { contender, allocations, answer } = counted;
        let median = allocations as f64 / workload.lines as f64;
        let (unit, answer) = ("allocations/message", format!("allocations {allocations}, digest {answer}"));
        Row { bench, workload: workload.name, contender, unit, median, spread: None, ratio: None, answer }
    };
    Ok(counts.into_iter().map(row).collect())
}

/// Passes of one book and nothing else, for a counter of instructions: two runs with different counts differ by passes.
fn passes(book: &str, name: &str, count: &str) -> Result<(), String> {
    let count: usize = count.parse().map_err(|_| format!("{count} is no number\n{USAGE}"))?;
    let workload = find(name)?;
    let mut contender = l2_apply::contender(book, &workload)
        .ok_or_else(|| format!("no book {book}; there are {}", l2_apply::BOOKS.join(", ")))?;
    for _ in 0..count {
        let Run { answer, .. } = (contender.run)();
        if answer != contender.expected {
            return Err(format!("WRONG ANSWER: expected {}, got {answer}", contender.expected));
        }
    }
    println!("{} level changes in each of {count} passes", contender.count);
    Ok(())
}

fn find(name: &str) -> Result<Workload, String> {
    let named = Named::find(name).ok_or_else(|| {
        format!("no workload {name}; there are {}", WORKLOADS.map(|named| named.name).join(", "))
    })?;
    named.load().map_err(|error| error.to_string())
}
