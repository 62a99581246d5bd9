//! All benchmarks: which contenders each has over which workload.

use crate::report::Row;
use crate::timing::Contender;
use crate::workload::{Size, Workload};
use crate::{
    allocations, checked_feed, checked_frame, consolidated, dbn_decode, depth_views, frame_journal,
    itch_decode, itch_engine, itch_market, journal, l2_apply, l3_apply, memory, pipeline, raw_frame, stamps,
};

/// A benchmark: what it measures, and over which workloads.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    /// Whether the program of peers makes the same comparison with more contenders.
    pub(crate) has_peers: bool,
    pub(crate) kind: Kind,
}

/// How its rows come about.
pub(crate) enum Kind {
    /// Contenders that take turns, the baseline first; what nanoseconds for each thing come to.
    Timed(for<'a> fn(&'a Workload) -> Option<Contenders<'a>>, fn(f64) -> (&'static str, f64)),
    /// Rows without times.
    Counted(fn(&Workload, Size) -> Option<Rows>),
}

/// The rows of one benchmark over one workload, or what is wrong.
pub(crate) type Rows = Result<Vec<Row>, String>;

/// The contenders of one comparison, or why there is none.
pub(crate) type Contenders<'a> = Result<Vec<Contender<'a>>, String>;

/// All of them.
pub(crate) const BENCHES: &[Bench] = &[
    Bench {
        name: "l2_apply",
        has_peers: true,
        kind: Kind::Timed(|workload| l2_apply::contenders(workload).map(Ok), |ns| ("ns/level change", ns)),
    },
    Bench {
        name: "pipeline",
        has_peers: false,
        kind: Kind::Timed(pipeline::contenders, |ns| ("frames/s", 1e9 / ns)),
    },
    Bench {
        name: "consolidated",
        has_peers: false,
        kind: Kind::Timed(consolidated::contenders, |ns| ("ns/level change", ns)),
    },
    Bench { name: "stamps", has_peers: false, kind: Kind::Timed(stamps::contenders, |ns| ("ns/frame", ns)) },
    Bench {
        name: "raw_frame",
        has_peers: true,
        kind: Kind::Timed(raw_frame::contenders, |ns| ("frames/s", 1e9 / ns)),
    },
    Bench {
        name: "checked_frame",
        has_peers: false,
        kind: Kind::Timed(checked_frame::contenders, |ns| ("ns/frame", ns)),
    },
    Bench {
        name: "checked_feed",
        has_peers: true,
        kind: Kind::Timed(checked_feed::contenders, |ns| ("frames/s", 1e9 / ns)),
    },
    Bench {
        name: "l3_apply",
        has_peers: true,
        kind: Kind::Timed(l3_apply::contenders, |ns| ("ns/order change", ns)),
    },
    Bench {
        name: "itch_market",
        has_peers: true,
        kind: Kind::Timed(itch_market::contenders, |ns| ("ns/message", ns)),
    },
    Bench {
        name: "itch_engine",
        has_peers: false,
        kind: Kind::Timed(itch_engine::contenders, |ns| ("ns/message", ns)),
    },
    Bench {
        name: "itch_decode",
        has_peers: true,
        kind: Kind::Timed(|workload| itch_decode::contenders(workload).map(Ok), |ns| ("ns/message", ns)),
    },
    Bench {
        name: "dbn_decode",
        has_peers: true,
        kind: Kind::Timed(|workload| dbn_decode::contenders(workload).map(Ok), |ns| ("ns/record", ns)),
    },
    Bench {
        name: "view_top20",
        has_peers: false,
        kind: Kind::Timed(|workload| depth_views::top(workload).map(Ok), |ns| ("ns/message", ns)),
    },
    Bench {
        name: "view_buckets",
        has_peers: false,
        kind: Kind::Timed(|workload| depth_views::buckets(workload).map(Ok), |ns| ("ns/message", ns)),
    },
    Bench {
        name: "view_depth_to",
        has_peers: false,
        kind: Kind::Timed(|workload| depth_views::depth_to(workload).map(Ok), |ns| ("ns/message", ns)),
    },
    Bench {
        name: "view_cost",
        has_peers: false,
        kind: Kind::Timed(|workload| depth_views::cost(workload).map(Ok), |ns| ("ns/message", ns)),
    },
    Bench {
        name: "view_within_bps",
        has_peers: false,
        kind: Kind::Timed(|workload| depth_views::within_bps(workload).map(Ok), |ns| ("ns/message", ns)),
    },
    Bench {
        name: "journal_append",
        has_peers: false,
        kind: Kind::Timed(|workload| journal::append(workload).map(Ok), |ns| ("ns/frame", ns)),
    },
    Bench {
        name: "journal_read",
        has_peers: false,
        kind: Kind::Timed(|workload| journal::read(workload).map(Ok), |ns| ("frames/s", 1e9 / ns)),
    },
    Bench {
        name: "frames_read",
        has_peers: true,
        kind: Kind::Timed(frame_journal::read, |ns| ("frames/s", 1e9 / ns)),
    },
    Bench {
        name: "journal_seal",
        has_peers: false,
        kind: Kind::Timed(|workload| journal::seal(workload).map(Ok), |ns| ("MB/s", 1e3 / ns)),
    },
    Bench { name: "allocations", has_peers: false, kind: Kind::Counted(allocations::rows) },
    Bench { name: "memory", has_peers: false, kind: Kind::Counted(memory::rows) },
];

/// The contenders of a benchmark over a workload, the baseline first; none where the workload does not hold what it
/// wants or where nothing is timed.
pub(crate) fn contenders<'a>(bench: &str, workload: &'a Workload) -> Option<Contenders<'a>> {
    match BENCHES.iter().find(|each| each.name == bench)?.kind {
        Kind::Timed(contenders, _) => contenders(workload),
        Kind::Counted(_) => None,
    }
}
