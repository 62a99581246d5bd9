//! What can be measured, as a caller in another language asks for it: a plan in JSON, a report in JSON.

use std::sync::atomic::AtomicBool;

use serde::Deserialize;

use crate::fault::Fault;
use crate::{floor, hiccup, micro, pipeline, wire};

/// What to measure.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", tag = "scenario")]
enum Scenario {
    /// Nothing: whether a run over the wire, or into the engine, can be begun.
    Check(wire::Size),
    Floor(floor::FloorPlan),
    Hiccups(hiccup::HiccupPlan),
    Micro(micro::MicroPlan),
    Pipeline(pipeline::PipelinePlan),
    Wire(Box<wire::WirePlan>),
}

/// Runs a plan and returns its report. `is_cancelled` ends it at once.
///
/// # Errors
/// `bench.plan`: what is no plan; else what keeps it from beginning.
pub fn run(plan: &str, is_cancelled: &AtomicBool) -> Result<String, Fault> {
    let scenario: Scenario = serde_json::from_str(plan).map_err(|error| {
        let fix = "use the command line, which writes plans";
        Fault::new("bench.plan", "no plan", ["a plan in JSON", &error.to_string()], fix)
    })?;
    let written = match scenario {
        Scenario::Check(size) => serde_json::to_string(&size.check()?),
        Scenario::Floor(plan) => serde_json::to_string(&floor::run(&plan, is_cancelled)?),
        Scenario::Hiccups(plan) => serde_json::to_string(&hiccup::run(&plan, is_cancelled)?),
        Scenario::Micro(plan) => serde_json::to_string(&micro::run(&plan, is_cancelled)?),
        Scenario::Pipeline(plan) => serde_json::to_string(&pipeline::run(&plan, is_cancelled)?),
        Scenario::Wire(plan) => serde_json::to_string(&wire::run(&plan, is_cancelled)?),
    };
    written.map_err(|error| Fault::own("a report cannot be written", error))
}
