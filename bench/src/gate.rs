//! Runs of single contenders for an instruction counter, which `bench/gates.mjs` starts and reads.
//!
//! The counter writes its count at each end of a measured part; a line of JSON for each says what was counted, in the
//! same order.

use crate::comparisons::contenders;
use crate::timing::{Contender, Run, plant};
use crate::workload::{LoadError, Named, Size, Workload};

/// One contender over one workload.
struct Gate<'a> {
    bench: &'a str,
    workload: &'a str,
    contender: &'a str,
    /// Turns of an empty loop for each thing done, in thousandths, by which a second run is slowed. None: there is no
    /// second run, but one of the baseline.
    planted_milli: Option<u64>,
}

/// Runs gates, each written `bench:workload:contender:planted`.
///
/// # Errors
/// A gate that there is not, or a wrong answer.
pub fn run(gates: &[&str]) -> Result<(), String> {
    let mut gates: Vec<_> = gates.iter().map(|gate| Gate::read(gate)).collect::<Result<_, _>>()?;
    // Each workload is loaded once: loading takes longer than counting.
    gates.sort_by_key(|gate| gate.workload);
    for same in gates.chunk_by(|a, b| a.workload == b.workload) {
        let Some(first) = same.first() else { continue };
        let named = Named::find(first.workload).ok_or_else(|| format!("no workload {}", first.workload))?;
        match named.load(Size::Gate) {
            Ok(workload) => same.iter().try_for_each(|gate| gate.run(&workload))?,
            Err(LoadError::Broken(what)) => return Err(what),
            Err(absent @ LoadError::Absent(_)) => {
                for Gate { bench, workload, contender, .. } in same {
                    println!("SKIPPED: gate {bench} {workload} {contender}: {absent}");
                }
            }
        }
    }
    Ok(())
}

impl<'a> Gate<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let parts: Vec<_> = text.split(':').collect();
        let [bench, workload, contender, planted] = parts.as_slice() else {
            return Err(format!("{text} is no gate; expected bench:workload:contender:planted"));
        };
        let planted_milli = match *planted {
            "baseline" => None,
            number => Some(number.parse().map_err(|_| format!("{number} is no number"))?),
        };
        Ok(Self { bench, workload, contender, planted_milli })
    }

    fn run(&self, loaded: &Workload) -> Result<(), String> {
        let Self { bench, workload, contender, .. } = self;
        let none = || format!("{bench} does not run over {workload}");
        let mut contenders = contenders(bench, loaded).ok_or_else(none)??;
        let at = contenders.iter().position(|other| other.name == *contender);
        let at = at.ok_or_else(|| format!("{bench} {workload} has no contender {contender}"))?;
        if self.planted_milli.is_none() {
            self.counted_run("baseline warm", contenders.first_mut())?;
            self.counted_run("baseline", contenders.first_mut())?;
        }
        self.counted_run("warm", contenders.get_mut(at))?;
        self.counted_run("gate", contenders.get_mut(at))?;
        if let (Some(milli), Some(contender)) = (self.planted_milli, contenders.get_mut(at)) {
            plant(contender.count * milli / 1_000);
            let planted = self.counted_run("planted", Some(contender));
            plant(0);
            planted?;
        }
        Ok(())
    }

    #[inline(never)]
    fn counted_run(&self, run: &str, contender: Option<&mut Contender<'_>>) -> Result<(), String> {
        let contender = contender.ok_or("a comparison without contenders")?;
        let Run { answer, .. } = (contender.run)();
        if answer != contender.expected {
            return Err(format!("WRONG ANSWER: expected {}, got {answer}", contender.expected));
        }
        let Self { bench, workload, contender: name, .. } = self;
        let count = contender.count;
        println!(
            r#"{{"bench":"{bench}","workload":"{workload}","contender":"{name}","run":"{run}","count":{count}}}"#
        );
        Ok(())
    }
}
