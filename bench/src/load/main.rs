//! Load on a feed over real sockets: one process plays the venue and all subscribers, the server under test is another.
//!
//! Open loop: record `k` of the venue is due at a planned time, whatever the server does, and is sent as soon as it may be
//! then. Each record causes one frame of the book's stream, so the `k`-th such frame that a subscriber gets is that record's:
//! its latency is counted from the planned time. One thread does both, so that a machine of two cores has one for the server.
//!
//! `depthwire-load '{"feed":"127.0.0.1:8642","input":"127.0.0.1:9000",…}'` prints one line of JSON, see [`plan::Plan`] and
//! [`report::Report`]; ends with 1 when a delivery is lost or the rate was missed. With `handshakes` it plays clients that
//! come and go instead, and prints [`handshakes::Handshakes`].

#![allow(clippy::float_arithmetic, reason = "statistics of times are no book")]

mod client;
mod handshakes;
mod input;
mod line;
mod plan;
mod report;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    match plan::Plan::from_args(std::env::args().skip(1)).and_then(|plan| lines(&plan)) {
        Ok((line, ok)) => {
            println!("{line}");
            if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            eprintln!("depthwire-load: {reason}");
            ExitCode::from(2)
        }
    }
}

/// Runs a plan; what it found, and whether that is as it should be.
fn lines(plan: &plan::Plan) -> Result<(String, bool), String> {
    if plan.handshakes > 0 {
        return handshakes::run(plan).map(|found| (found.line(), found.ok));
    }
    run::run(plan).map(|report| (report.line(), report.ok))
}
