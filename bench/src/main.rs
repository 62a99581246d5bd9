//! The benchmarks as a program, with an allocator that counts.

use std::process::ExitCode;

use depthwire_bench::{allocations, program};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    program::main()
}
