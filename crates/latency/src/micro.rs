//! What single operations cost: time against a plain way of doing the same, instructions, allocations.
//!
//! The operations of a group take turns, beginning with another one each round, so that a machine that is slow for a while is slow for
//! all of them. All of a group that do the same must come to the same hash in every round: one that does less is found out. Instructions
//! and allocations are counted apart from the time, by [`crate::steps`].

mod levels;
mod market;
mod orders;
mod text;

use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use depthwire_core::book::l3::{L3Books, NaiveL3};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::steps::{self, Steps};

/// Most things that an operation is done to in a round.
pub const THINGS_MAX: usize = 100_000;
/// Most rounds.
pub const ROUNDS_MAX: usize = 1_000;

/// What to measure.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MicroPlan {
    /// Rounds that count, after one to warm up.
    pub rounds: usize,
    /// Things that each operation is done to in a round.
    pub things: usize,
    /// Things of which instructions and allocations are counted, 0 to leave it.
    pub counted: usize,
    /// Makes every operation but the first of a group worse, to prove that it is seen.
    #[serde(default)]
    pub planted: Planted,
}

/// Work that is added for each thing done.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Planted {
    /// Turns of an empty loop.
    #[serde(default)]
    pub turns: u64,
    /// Blocks of memory that are taken and given back.
    #[serde(default)]
    pub allocations: u64,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MicroReport {
    /// By group, the one that the others are measured by first.
    pub groups: Vec<GroupReport>,
    /// Whether instructions can be counted here.
    pub is_counted: bool,
    /// Whether the run was ended before its time.
    pub is_cut: bool,
}

/// Operations that were compared.
#[derive(Debug, Serialize)]
pub struct GroupReport {
    /// What they do.
    pub name: &'static str,
    /// What one of it is.
    pub thing: &'static str,
    /// One by one.
    pub operations: Vec<OperationReport>,
}

/// What one operation cost, for each thing done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationReport {
    /// Its name.
    pub name: &'static str,
    /// Nanoseconds in each round.
    pub ns: Vec<f64>,
    /// Instructions.
    pub instructions: Option<f64>,
    /// Allocations, once warm.
    pub allocations: Option<f64>,
    /// What all things came to, in hexadecimal: the same on every machine.
    pub work: String,
}

/// Something that is done again and again.
trait Operation {
    /// Goes back to the beginning.
    fn rewind(&mut self);

    /// Does the first so many things and returns a hash of what they came to.
    fn run(&mut self, things: usize) -> u64;
}

struct Group {
    name: &'static str,
    thing: &'static str,
    /// Whether all of them do the same.
    is_same: bool,
    operations: Vec<(&'static str, Box<dyn Operation>)>,
}

/// Adds a value to a hash.
#[inline]
const fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Measures.
///
/// # Errors
/// `bench.plan`: rounds or things beyond their limits; `bench.answer`: an operation came to something else than it must.
pub fn run(plan: &MicroPlan, is_cancelled: &AtomicBool) -> Result<MicroReport, Fault> {
    let is_within = (1..=ROUNDS_MAX).contains(&plan.rounds) && (1..=THINGS_MAX).contains(&plan.things);
    if !is_within || plan.counted > plan.things {
        let expected =
            format!("1 to {ROUNDS_MAX} rounds of 1 to {THINGS_MAX} things, of which at most all are counted");
        let got = format!("{plan:?}");
        return Err(Fault::new("bench.plan", "no plan", [&expected, &got], "change the plan"));
    }
    let mut report = MicroReport { groups: Vec::new(), is_counted: false, is_cut: false };
    for mut group in groups(plan)? {
        let operations = group.measure(plan, is_cancelled)?;
        report.is_counted |= operations.iter().any(|operation| operation.instructions.is_some());
        report.groups.push(GroupReport { name: group.name, thing: group.thing, operations });
        if is_cancelled.load(Ordering::Relaxed) {
            report.is_cut = true;
            break;
        }
    }
    Ok(report)
}

fn groups(plan: &MicroPlan) -> Result<Vec<Group>, Fault> {
    use levels::{Ladder, Maps, Reads};

    let market = Rc::new(market::LevelMarket::new(plan.things));
    let changes = Rc::new(market::OrderChanges::new(plan.things));
    let text = Rc::new(text::Text::new(plan.things)?);
    let worse = |operation: Box<dyn Operation>| -> Box<dyn Operation> {
        Box::new(Worse { operation, planted: plan.planted })
    };
    let of_levels = |name, reads| Group {
        name,
        thing: "message",
        is_same: true,
        operations: vec![
            ("ordered map", Box::new(Maps::new(Rc::clone(&market), reads))),
            ("depthwire", worse(Box::new(Ladder::new(Rc::clone(&market), reads)))),
        ],
    };
    Ok(vec![
        of_levels("four levels changed, best prices read", Reads::Best),
        of_levels("four levels changed, 20 a side read", Reads::Top),
        of_levels("four levels changed, ten buckets a side read", Reads::Buckets),
        Group {
            name: "an order changed, best prices read",
            thing: "change",
            is_same: true,
            operations: vec![
                ("maps and lists", Box::new(orders::Changed::<NaiveL3>::new(Rc::clone(&changes))?)),
                ("depthwire", worse(Box::new(orders::Changed::<L3Books>::new(changes)?))),
            ],
        },
        Group {
            name: "a text message that changes four levels",
            thing: "message",
            is_same: false,
            operations: vec![
                ("its bytes added up", Box::new(text::Added(Rc::clone(&text)))),
                ("decoded", worse(Box::new(text::Decoded::new(Rc::clone(&text))?))),
                ("to its feed frame", worse(Box::new(text::Published::new(Rc::clone(&text))))),
                ("the frame applied by a reader", worse(Box::new(text::Applied::new(text)))),
            ],
        },
    ])
}

impl Group {
    fn measure(
        &mut self,
        plan: &MicroPlan,
        is_cancelled: &AtomicBool,
    ) -> Result<Vec<OperationReport>, Fault> {
        let count = self.operations.len();
        let mut answers = vec![None; count];
        let mut ns = vec![Vec::with_capacity(plan.rounds); count];
        for round in 0..=plan.rounds {
            if round > 1 && is_cancelled.load(Ordering::Relaxed) {
                break;
            }
            for turn in 0..count {
                let at = (round + turn) % count;
                let (name, operation) = &mut self.operations[at];
                operation.rewind();
                let began = Instant::now();
                let answer = black_box(operation.run(plan.things));
                let elapsed = began.elapsed();
                let expected =
                    if self.is_same { answers.iter().flatten().next() } else { answers[at].as_ref() };
                let expected = *expected.unwrap_or(&answer);
                if answer != expected {
                    return Err(wrong(self.name, name, expected, answer));
                }
                answers[at] = Some(answer);
                if round > 0 {
                    ns[at].push(elapsed.as_nanos() as f64 / plan.things as f64);
                }
            }
        }
        let reports =
            self.operations.iter_mut().zip(ns).zip(answers).map(|(((name, operation), ns), answer)| {
                let steps = counted(&mut **operation, plan.counted, is_cancelled);
                let each = |count: u64| count as f64 / plan.counted as f64;
                OperationReport {
                    name,
                    ns,
                    instructions: steps.map(|steps| each(steps.instructions)),
                    allocations: steps.map(|steps| each(steps.allocations)),
                    work: format!("{:016x}", answer.unwrap_or_default()),
                }
            });
        Ok(reports.collect())
    }
}

/// Counts a run over the first things, which has been made before, so that memory is there.
fn counted(operation: &mut dyn Operation, things: usize, is_cancelled: &AtomicBool) -> Option<Steps> {
    if things == 0 || is_cancelled.load(Ordering::Relaxed) {
        return None;
    }
    operation.rewind();
    steps::count(is_cancelled, || {
        black_box(operation.run(things));
    })
}

fn wrong(group: &str, name: &str, expected: u64, got: u64) -> Fault {
    let texts = [format!("{expected:016x}"), format!("{got:016x}")];
    Fault::new(
        "bench.answer",
        format!("{group}: {name} comes to another answer"),
        [&texts[0], &texts[1]],
        "report it: one of both is wrong",
    )
}

/// An operation with work planted into it.
struct Worse {
    operation: Box<dyn Operation>,
    planted: Planted,
}

impl Operation for Worse {
    fn rewind(&mut self) {
        self.operation.rewind();
    }

    fn run(&mut self, things: usize) -> u64 {
        let answer = self.operation.run(things);
        for turn in 0..self.planted.turns * things as u64 {
            black_box(turn);
        }
        for _ in 0..self.planted.allocations * things as u64 {
            drop(black_box(Box::new(0_u64)));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: MicroPlan =
        MicroPlan { rounds: 2, things: 300, counted: 0, planted: Planted { turns: 0, allocations: 0 } };

    fn measured(plan: &MicroPlan) -> MicroReport {
        run(plan, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn operations_of_a_group_come_to_the_same() {
        let report = measured(&SMALL);
        assert_eq!(report.groups.len(), 5);
        for group in &report.groups[..4] {
            let work: Vec<_> = group.operations.iter().map(|operation| &operation.work).collect();
            assert_eq!(work[0], work[1], "{}", group.name);
        }
        for operation in report.groups.iter().flat_map(|group| &group.operations) {
            assert_eq!(operation.ns.len(), 2);
            assert_ne!(operation.work, format!("{:016x}", 0), "{}", operation.name);
        }
        assert!(!report.is_counted && !report.is_cut);
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn what_is_planted_is_counted_to_the_instruction() {
        let counted = |planted| {
            let report = measured(&MicroPlan { rounds: 1, things: 2, counted: 1, planted });
            let steps = report.groups.into_iter().flat_map(|group| group.operations);
            steps.map(|each| (each.instructions.unwrap(), each.allocations.unwrap())).collect::<Vec<_>>()
        };
        let plain = counted(Planted::default());
        assert_eq!(plain, counted(Planted::default()));
        let planted = counted(Planted { turns: 0, allocations: 3 });
        let more: Vec<_> = plain.iter().zip(&planted).map(|(plain, planted)| planted.1 - plain.1).collect();
        assert_eq!(more, [0.0, 3.0, 0.0, 3.0, 0.0, 3.0, 0.0, 3.0, 0.0, 3.0, 3.0, 3.0]);
    }

    #[test]
    fn an_operation_that_does_less_is_found_out() {
        struct Lazy;
        impl Operation for Lazy {
            fn rewind(&mut self) {}
            fn run(&mut self, _: usize) -> u64 {
                7
            }
        }
        let mut groups = groups(&SMALL).unwrap();
        groups[0].operations.push(("lazy", Box::new(Lazy)));
        let fault = groups[0].measure(&SMALL, &AtomicBool::new(false)).unwrap_err();
        assert_eq!(fault.code, "bench.answer");
        assert!(fault.what.contains("lazy"), "{}", fault.what);
    }

    #[test]
    fn impossible_plans_are_refused_and_a_run_can_be_cut() {
        for plan in [
            MicroPlan { rounds: 0, ..SMALL },
            MicroPlan { things: 0, ..SMALL },
            MicroPlan { things: THINGS_MAX + 1, ..SMALL },
            MicroPlan { rounds: ROUNDS_MAX + 1, ..SMALL },
            MicroPlan { counted: SMALL.things + 1, ..SMALL },
        ] {
            assert_eq!(run(&plan, &AtomicBool::new(false)).unwrap_err().code, "bench.plan");
        }
        let report = run(&SMALL, &AtomicBool::new(true)).unwrap();
        assert!(report.is_cut && report.groups.len() == 1);
    }
}
