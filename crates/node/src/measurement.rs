//! The exported `Measurement`: a scenario of the bench command, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use depthwire_latency::cores::{Place, pin};
use depthwire_latency::scenario;
use depthwire_latency::timeline::Timeline;
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::json;

use crate::argument::Argument;
use crate::guard::{Result, guard};

/// A plan names a few servers.
const PLAN_BYTES_MAX: usize = 64 << 10;

/// One run of a plan.
#[napi]
pub struct Measurement {
    plan: String,
    is_cancelled: Arc<AtomicBool>,
}

#[napi]
impl Measurement {
    /// `plan`: JSON, see `crates/latency/src/scenario.rs`. What is no text, or longer than 64 KiB, is no plan when it is run.
    #[napi(constructor, ts_args_type = "plan: Uint8Array")]
    pub fn new(plan: Argument) -> Result<Self> {
        guard(|| {
            let bytes = plan.input_up_to("plan", PLAN_BYTES_MAX)?;
            let kept = bytes.get(..PLAN_BYTES_MAX).unwrap_or(&bytes);
            Ok(Self { plan: String::from_utf8_lossy(kept).into_owned(), is_cancelled: Arc::default() })
        })
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

/// Keeps this thread, and the processes that it starts, off the core of a run's generator, or gives it all cores back. Whether it did: not with
/// one core, nor where the system does not let threads choose.
#[napi(ts_args_type = "isKeptOff: boolean")]
pub fn keep_off_generator(is_kept_off: Argument) -> Result<bool> {
    guard(|| Ok(pin(if is_kept_off.flag("isKeptOff")? { Place::Servers } else { Place::Anywhere })))
}

/// What is told of samples that JavaScript took: JSON, see `crates/latency/src/timeline.rs`. Each is two 64-bit integers, when it was
/// planned and how long it took, ns. `startedMs`: since 1970.
#[napi(ts_args_type = "samples: Uint8Array, startedMs: number, comment: string")]
pub fn timeline_of(samples: Argument, started_ms: Argument, comment: Argument) -> Result<String> {
    guard(|| {
        let started_ms = started_ms.integer("startedMs", 0..=1 << 53)? as u64;
        let started = SystemTime::UNIX_EPOCH + Duration::from_millis(started_ms);
        let line = Timeline::of_samples(&samples.input("samples")?);
        Ok(match line.report(started, &comment.text("comment")?) {
            Ok(report) => json!({ "report": report }).to_string(),
            Err(fault) => json!({ "fault": fault }).to_string(),
        })
    })
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
