//! Prints what one dialect sends: `cargo run --example dialect -- <index> <seconds>`, one frame a line behind its
//! time in nanoseconds, packets in hexadecimal digits.

use std::io::Write;

use depthwire_sim::dialects::{Frames, all};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap_or(0));
    let (index, seconds) = (arguments.next().unwrap_or(0), arguments.next().unwrap_or(1));
    let mut dialects = all(1);
    let chosen = (index as usize).min(dialects.len() - 1);
    let dialect = &mut dialects[chosen];
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (begin_ns, mut frames) = (1_785_552_833_000_000_000, Frames::new());
    dialect.open(begin_ns, &mut frames);
    loop {
        for frame in frames.iter() {
            write!(out, "{} ", frame.time_ns)?;
            if dialect.venue() == "nasdaq" {
                frame.bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
            } else {
                out.write_all(frame.bytes)?;
            }
            writeln!(out)?;
        }
        frames.clear();
        dialect.step(begin_ns + seconds * 1_000_000_000, &mut frames);
        if frames.is_empty() {
            return out.flush();
        }
    }
}
