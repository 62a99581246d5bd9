//! Writes a synthetic NASDAQ day as BinaryFILE to standard output, and what it holds to standard error:
//! `cargo run --release -p depthwire-sim --example itch -- --symbols 8900 --messages 20000000 --seed 1 > day.itch`
//! (also `--orders`: those that rest once the books are full).

use std::io::Write;
use std::time::Instant;

use depthwire_sim::itch::{ItchConfig, ItchDay};

/// Bytes that are collected before they are written.
const CHUNK_BYTES: usize = 1 << 20;

const USAGE: &str = "usage: itch [--symbols N] [--messages N] [--seed N] [--orders N]";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut symbols, mut messages, mut seed, mut orders) = (8_900, 20_000_000, 1, None);
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(USAGE.into()) };
        match name.as_str() {
            "--symbols" => symbols = value.parse()?,
            "--messages" => messages = value.parse()?,
            "--seed" => seed = value.parse()?,
            "--orders" => orders = Some(value.parse()?),
            _ => return Err(USAGE.into()),
        }
    }
    let mut config = ItchConfig::new(seed, symbols);
    config.orders = orders.unwrap_or(config.orders);
    let mut day = ItchDay::new(config)?;
    let mut output = std::io::stdout().lock();
    let mut chunk = Vec::with_capacity(CHUNK_BYTES + 64);
    let started = Instant::now();
    let mut written = 0;
    let mut opened = None;
    // The closing events are the last three of the messages asked for.
    while day.next(&mut chunk) {
        if opened.is_none() && day.is_open() {
            opened = Some((day.messages(), written + chunk.len()));
        }
        if day.messages() + 3 >= messages {
            day.close();
        }
        if chunk.len() >= CHUNK_BYTES {
            output.write_all(&chunk)?;
            written += chunk.len();
            chunk.clear();
        }
    }
    output.write_all(&chunk)?;
    output.flush()?;
    eprintln!(
        "{} messages in {:?}; opening (messages, bytes) {opened:?}; {} orders at {} levels at the end",
        day.messages(),
        started.elapsed(),
        day.orders_len(),
        day.levels_len()
    );
    Ok(())
}
