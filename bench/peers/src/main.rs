//! What others have made, in the comparisons of `depthwire-bench`: same prepared input, same rounds, answers compared.
//!
//! Each peer is driven by the fastest of its documented methods. Input in its own types is made outside the time.

mod decimal_books;
mod decoders;
mod level_books;
mod order_books;
mod python;
mod raw_frame;

use std::process::ExitCode;

use depthwire_bench::program;
use depthwire_bench::report::Row;
use depthwire_bench::timing::Contender;
use depthwire_bench::workload::Workload;

fn main() -> ExitCode {
    program::main_with(|bench, workload| peers(bench, workload))
}

fn peers<'a>(bench: &str, workload: &'a Workload) -> (Vec<Contender<'a>>, Vec<Row>) {
    match bench {
        "l2_apply" => joined(level_books::contenders(workload), python::level_books(workload)),
        "checked_feed" => python::checked_feed(workload),
        "itch_market" => python::itch_market(workload),
        "l3_apply" => order_books::contenders(workload),
        "itch_decode" => (decoders::itch(workload), Vec::new()),
        "frames_read" => (decoders::packed_databento(workload), Vec::new()),
        "dbn_decode" => (decoders::databento(workload), Vec::new()),
        "raw_frame" => (raw_frame::contenders(workload), Vec::new()),
        _ => Default::default(),
    }
}

fn joined<A, B>((mut a, mut b): (Vec<A>, Vec<B>), (c, d): (Vec<A>, Vec<B>)) -> (Vec<A>, Vec<B>) {
    a.extend(c);
    b.extend(d);
    (a, b)
}
