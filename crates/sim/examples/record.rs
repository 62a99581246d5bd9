//! Writes a recording of the simulated venue to standard output:
//! `cargo run --release -p depthwire-sim --example record -- BTCUSDT 7 60000 > btcusdt.txt`
//! (symbol, seed, milliseconds).

use std::io::Write;

use depthwire_sim::recording;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [symbol, seed, duration_ms] = arguments.as_slice() else {
        return Err("usage: record SYMBOL SEED MILLISECONDS".into());
    };
    let mut text = Vec::new();
    recording(symbol, seed.parse()?, 1_723_161_254_000, duration_ms.parse()?, &mut text)?;
    std::io::stdout().write_all(&text)?;
    Ok(())
}
