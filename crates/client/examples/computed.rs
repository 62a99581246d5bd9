//! Follows what has traded at prices, what quantities cost and signals, of all instruments that fit a pattern, and prints how each stands
//! whenever a line comes on standard input: what the tests of the project ask.
//! `computed ADDRESS PATTERN QUANTITIES BPS [PEM]`, where PEM is a file with a certificate that is trusted

use std::io::BufRead;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use depthwire_client::{Decimal, Error, Event, Feed, Group, Options, Signal, SubscriptionId, Topic};

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().unwrap_or_default();
    let (address, pattern, quantities, bps, pem) = (next(), next(), next(), next(), next());
    let quantities: Vec<_> = quantities.split(',').filter(|qty| !qty.is_empty()).collect();
    let bps: Vec<_> = bps.split(',').filter_map(|band| band.parse().ok()).collect();
    let mut feed = Feed::open(&address, options(&pem)?)?;
    let all = [
        feed.subscribe_all(Group::of(Topic::volumes(&pattern).every_ms(0))),
        feed.subscribe_all(Group::of(Topic::costs(&pattern, &quantities, &bps).every_ms(0))),
        feed.subscribe_all(Group::of(Topic::signals(&pattern, 5_000).vpin("0.5", 10).every_ms(0))),
    ];
    let (said, lines) = channel();
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || said.send(()).is_err() {
                return;
            }
        }
    });
    loop {
        match feed.next(Duration::from_millis(20))? {
            Some(Event::GroupEnded(_, error) | Event::GroupRefused(_, error)) => {
                println!(
                    "{}|{}|{}|{}|{}|{}",
                    error.code, error.what, error.place, error.expected, error.got, error.fix
                );
            }
            Some(Event::Disconnected { error, .. }) => eprintln!("{error}"),
            _ => {}
        }
        match lines.try_recv() {
            Err(TryRecvError::Empty) => continue,
            Err(TryRecvError::Disconnected) => break,
            Ok(()) => {}
        }
        for (instrument, id) in all.iter().flat_map(|group| feed.members(*group)) {
            let rows = rows(&feed, id);
            let state = feed.state(id).map_or("gone", |state| state.name());
            println!("{instrument} {state} {}", rows.join(" "));
        }
        println!("{:?}", feed.counters());
    }
    feed.close();
    Ok(())
}

fn options(pem: &str) -> Result<Options, Error> {
    let options = Options::default();
    #[cfg(feature = "tls")]
    if let Ok(pem) = std::fs::read(pem) {
        return options.trusting(&pem);
    }
    let _ = pem;
    Ok(options)
}

fn rows(feed: &Feed, id: SubscriptionId) -> Vec<String> {
    if let Some(volumes) = feed.volumes(id) {
        let (price, qty) = volumes.exponents();
        let decimal = |mantissa, exponent| Decimal { mantissa, exponent };
        let session = volumes.session();
        let rows = volumes.rows().map(|row| {
            let [bought, sold] = [row.bought, row.sold].map(|of| decimal(of.0, qty));
            format!("{}:{bought}:{sold}:{}", decimal(row.price.0, price), row.trades)
        });
        return [format!("since:{}:{}", session.since, session.missed_at)].into_iter().chain(rows).collect();
    }
    if let Some(signals) = feed.signals(id) {
        let row = |row: &Signal| {
            let part = if row.is_partial { "~" } else { "" };
            format!("{}:{}:{}{part}", row.id.name(), row.text(), row.window_ns)
        };
        return signals.rows().iter().map(row).collect();
    }
    let rows = feed.costs(id).into_iter().flat_map(|costs| costs.rows()).map(|row| {
        let text = |text: Option<Decimal>| text.map_or_else(|| "-".to_owned(), |text| text.to_string());
        let (average, cost) = (text(row.price_average_text()), text(row.cost_text()));
        format!("{:?}:{}:{}:{average}:{cost}:{}", row.side, row.bps, row.filled.0, row.is_complete)
    });
    rows.collect()
}
