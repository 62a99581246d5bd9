//! Prints the top of a book as it changes: `cargo run --example top -- ws://127.0.0.1:8642 sim:BTCUSDT`.

use std::time::Duration;

use depthwire_client::{Error, Event, Feed, Options, State, Topic};

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "ws://127.0.0.1:8642".to_owned());
    let instrument = args.next().unwrap_or_else(|| "sim:BTCUSDT".to_owned());
    let mut feed = Feed::open(&address, Options::default())?;
    let id = feed.subscribe(Topic::book(&instrument))?;
    loop {
        match feed.next(Duration::from_secs(1))? {
            Some(Event::Changed(_)) => {}
            Some(Event::Ended(_, error)) => return Err(error),
            Some(event) => {
                eprintln!("{event:?}");
                continue;
            }
            None => continue,
        }
        let Some(book) = feed.book(id) else { continue };
        match (book.state(), book.best_bid(), book.best_ask()) {
            (State::Synced, Some(bid), Some(ask)) => {
                println!(
                    "{} {} / {}",
                    book.place().seq,
                    book.price_text(bid.price),
                    book.price_text(ask.price)
                );
            }
            (state, ..) => println!("{} {}", state.name(), state.reason_name()),
        }
    }
}
