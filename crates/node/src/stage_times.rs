//! The exported `Engine`: where the time of messages goes.

use depthwire_core::types::Stage;
use depthwire_latency::clock::TickClock;
use depthwire_latency::stages::{BOUNDS_NS, INSTRUMENTS_MAX, QUANTILES, Summary, Times};
use napi_derive::napi;

use crate::engine::Engine;
use crate::guard::Result;

/// The times of one stage, or of whole messages, ns.
#[napi(object)]
pub struct StageTime {
    /// `decoded`, `sequenced`, `applied`, `encoded` or `published`; `whole` = from receipt to `encoded`.
    pub stage: String,
    /// Messages that had it.
    pub count: i64,
    /// Their times together.
    pub sum_ns: i64,
    /// The longest.
    pub max_ns: i64,
    /// By `quantiles`.
    pub quantiles_ns: Vec<i64>,
}

/// The same of all messages, also by bounds.
#[napi(object)]
pub struct StageCounts {
    /// The stage.
    pub stage: String,
    /// Messages by time: up to each of `boundsNs` and above the one before, and longer.
    pub counts: Vec<i64>,
}

/// The times of an instrument's messages.
#[napi(object)]
pub struct InstrumentStages {
    /// Its number.
    pub instrument: u32,
    /// Every stage, and the whole at last.
    pub stages: Vec<StageTime>,
}

/// Where the time of messages went.
#[napi(object)]
pub struct StageTimes {
    /// What counts it: `tsc` or `system`.
    pub clock: String,
    /// One message in so many was stamped.
    pub every: u32,
    /// Messages that were.
    pub stamped: i64,
    /// Those among them that could not be read as they stood: they are in no histogram.
    pub unread: i64,
    /// Those that found too many waiting to be published: they have no such time.
    pub unpublished: i64,
    /// Shares of messages for which `quantilesNs` holds.
    pub quantiles: Vec<f64>,
    /// Bounds of `counts`.
    pub bounds_ns: Vec<i64>,
    /// Of all messages, every stage, and the whole at last.
    pub all: Vec<StageTime>,
    /// The stages of all messages by bounds.
    pub counts: Vec<StageCounts>,
    /// Of each instrument, at most `instrumentsMax`.
    pub instruments: Vec<InstrumentStages>,
    /// Most instruments that are told apart.
    pub instruments_max: u32,
    /// Of all further instruments together.
    pub others: Vec<StageTime>,
}

#[napi]
impl Engine {
    /// Where the time of messages went; null where none are stamped. Cost: a pass over all histograms, some milliseconds.
    #[napi]
    pub fn stage_times(&self) -> Result<Option<StageTimes>> {
        self.run(|state| {
            let Some(stages) = state.stages() else { return Ok(None) };
            Ok(Some(StageTimes {
                clock: TickClock::get().source().to_owned(),
                every: stages.every(),
                stamped: stages.stamped() as i64,
                unread: stages.unread() as i64,
                unpublished: stages.unpublished() as i64,
                quantiles: QUANTILES.to_vec(),
                bounds_ns: BOUNDS_NS.iter().map(|ns| *ns as i64).collect(),
                all: told(stages.all()),
                counts: Stage::ALL.iter().map(|stage| counts(stages.all(), *stage)).collect(),
                instruments: stages
                    .instruments()
                    .map(|(id, times)| InstrumentStages { instrument: id.0, stages: told(times) })
                    .collect(),
                instruments_max: INSTRUMENTS_MAX as u32,
                others: told(stages.others()),
            }))
        })
    }

    /// What the ring has held so far was handed to those who send: `published` ends for the stamped messages among it.
    #[napi]
    pub fn published(&self) -> Result<()> {
        self.run(|state| {
            state.published();
            Ok(())
        })
    }
}

fn told(times: &Times) -> Vec<StageTime> {
    let stages = Stage::ALL.iter().map(|stage| (stage.name(), times.stage(*stage)));
    stages.chain([("whole", times.whole())]).map(|(name, summary)| one(name, &summary)).collect()
}

fn one(stage: &str, summary: &Summary) -> StageTime {
    StageTime {
        stage: stage.to_owned(),
        count: summary.count as i64,
        sum_ns: summary.sum_ns as i64,
        max_ns: summary.max_ns as i64,
        quantiles_ns: summary.quantiles_ns.iter().map(|ns| *ns as i64).collect(),
    }
}

fn counts(times: &Times, stage: Stage) -> StageCounts {
    let counts = times.counts(stage).iter().map(|count| *count as i64).collect();
    StageCounts { stage: stage.name().to_owned(), counts }
}
