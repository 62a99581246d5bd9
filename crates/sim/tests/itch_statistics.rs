//! How much the synthetic NASDAQ day resembles a real one: the statistics of the module's table, over a market that a
//! plain book can follow in seconds. Where the size of the market matters, so does it here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod itch_support;

use depthwire_sim::itch::{ItchConfig, ItchDay};
use itch_support::{Books, messages};

/// Symbols and messages; the whole market for those who have time:
/// `ITCH_MARKET=8900,8000000 cargo test --release -p depthwire-sim --test itch_statistics -- --nocapture`.
fn market() -> (usize, u64) {
    let asked = std::env::var("ITCH_MARKET").ok();
    let asked = asked.as_deref().and_then(|market| market.split_once(','));
    asked.map_or(
        if cfg!(debug_assertions) { (300, 300_000) } else { (1_500, 1_500_000) },
        |(symbols, messages)| (symbols.parse().unwrap(), messages.parse().unwrap()),
    )
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[sorted.len() * percent / 100]
}

/// Asserts that `measured` is within `range`, and says both.
fn resembles(what: &str, measured: u64, range: std::ops::RangeInclusive<u64>) {
    println!("{what}: {measured}, within {range:?}");
    assert!(range.contains(&measured), "{what}: {measured}, expected {range:?}");
}

#[test]
fn mix_lifetimes_ranks_and_levels_resemble_a_nasdaq_day() {
    let (symbols, count) = market();
    let config = ItchConfig::new(1, symbols);
    let mut day = ItchDay::new(config).unwrap();
    let (mut books, mut bytes) = (Books::default(), Vec::new());
    let (mut ranks, mut lives) = (Vec::new(), Vec::new());
    let (mut counts, mut of_symbol) = ([0_u64; 256], vec![0_u64; symbols + 1]);
    while day.messages() < count {
        bytes.clear();
        day.next(&mut bytes);
        let message = messages(&bytes).next().unwrap();
        let touched = books.apply(message);
        if day.is_open() {
            counts[usize::from(message.kind())] += 1;
            of_symbol[usize::from(message.locate())] += 1;
            ranks.extend(touched.iter().map(|touched| touched.rank as u64));
            lives.extend(touched.iter().filter_map(|it| it.gone.map(|gone| books.messages - gone.born)));
        }
    }
    let all: u64 = counts.iter().sum();
    println!("{} messages, the opening {}", books.messages, books.messages - all);

    let share =
        |kinds: &[u8]| kinds.iter().map(|&kind| counts[usize::from(kind)]).sum::<u64>() * 10_000 / all;
    resembles("adds in 10,000", share(b"AF"), 4_350..=4_450);
    resembles("deletes in 10,000", share(b"D"), 4_220..=4_330);
    resembles("replaces in 10,000", share(b"U"), 780..=820);
    resembles("executions in 10,000", share(b"EC"), 210..=240);
    resembles("cancels in 10,000", share(b"X"), 95..=115);
    resembles("imbalances in 10,000", share(b"I"), 135..=155);
    resembles("hidden trades in 10,000", share(b"P"), 40..=50);

    // Lifetimes shrink with the market; its population says how much.
    lives.sort_unstable();
    for (percent, real) in [(8, 6), (25, 575), (39, 5_750), (64, 57_500)] {
        let scaled = real * config.orders as u64 / 1_900_000;
        let range = scaled / 2..=scaled * 3 / 2 + 40;
        resembles(&format!("messages that an order lives, p{percent}"), percentile(&lives, percent), range);
    }

    ranks.sort_unstable();
    resembles("rank, p50", percentile(&ranks, 50), 0..=3);
    resembles("rank, p75", percentile(&ranks, 75), 3..=12);
    resembles("rank, p90", percentile(&ranks, 90), 8..=45);
    let near = ranks.partition_point(|&rank| rank < 10) * 100 / ranks.len();
    resembles("percent of ranks below 10", near as u64, 80..=95);

    let orders = books.orders.len();
    resembles("orders, percent of the target", (orders * 100 / config.orders) as u64, 97..=100);
    let levels = books.levels_len();
    println!("{orders} orders at {levels} levels");
    // 784,060 levels for 1,924,078 orders: 41.
    resembles("levels for 100 orders", (levels * 100 / orders) as u64, 36..=60);
    let levels = |locate: u16| day.book(locate).map_or(0, |book| book.bids.len() + book.asks.len());
    let deepest = (1..=symbols as u16).map(levels).max().unwrap() as u64;
    resembles("levels of the deepest book", deepest, 200..=5_000);

    of_symbol[0] = 0;
    of_symbol.sort_unstable();
    let most = of_symbol[symbols] * 10_000 / all;
    println!(
        "messages of the most active symbols in 10,000: {most}, {}",
        of_symbol[symbols - 1] * 10_000 / all
    );
    // The weights of the two dozen first are nearly equal; the smaller the market, the more each of them has.
    resembles("messages of the most active symbol in 10,000", most, 60..=300);
    let one_sided = (1..=symbols as u16).filter(|&locate| {
        let book = day.book(locate).unwrap();
        book.bids.is_empty() || book.asks.is_empty()
    });
    resembles("books with an empty side", one_sided.count() as u64, 0..=symbols as u64 / 100);
}
