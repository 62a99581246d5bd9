//! The exported `Measurement`: a scenario of the bench command, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use depthwire_latency::scenario;
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::json;

use crate::argument::Argument;
use crate::guard::{Result, guard};

/// One run of a plan.
#[napi]
pub struct Measurement {
    plan: String,
    is_cancelled: Arc<AtomicBool>,
}

#[napi]
impl Measurement {
    /// `plan`: JSON, see `crates/latency/src/scenario.rs`.
    #[napi(constructor, ts_args_type = "plan: string")]
    pub fn new(plan: Argument) -> Result<Self> {
        guard(|| Ok(Self { plan: plan.text("plan")?, is_cancelled: Arc::default() }))
    }

    /// Resolves to JSON: `{ report }`, or `{ fault }` with `code`, `what`, `expected`, `got` and `fix`.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn run(&self) -> AsyncTask<Run> {
        AsyncTask::new(Run { plan: self.plan.clone(), is_cancelled: Arc::clone(&self.is_cancelled) })
    }

    /// Ends the run as soon as it looks; what it has found until then is its report.
    #[napi]
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// What the thread does. Public because an exported signature names it; the module is not.
pub struct Run {
    plan: String,
    is_cancelled: Arc<AtomicBool>,
}

impl Task for Run {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        Ok(match scenario::run(&self.plan, &self.is_cancelled) {
            // Both are JSON by their making.
            Ok(report) => format!("{{\"report\":{report}}}"),
            Err(fault) => json!({ "fault": fault }).to_string(),
        })
    }

    fn resolve(&mut self, _: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}
