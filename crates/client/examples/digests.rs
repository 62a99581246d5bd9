//! Follows books, and prints how each stands whenever a line comes on standard input: what the tests of the project ask.
//! `digests ADDRESS INSTRUMENT…`

use std::io::BufRead;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use depthwire_client::{Error, Event, Feed, Options, Topic};

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let mut feed = Feed::open(&args.next().unwrap_or_default(), Options::default())?;
    let mut books = Vec::new();
    let mut trades = Vec::new();
    for instrument in args {
        trades.push((feed.subscribe(Topic::trades(&instrument))?, 0u64));
        books.push((instrument.clone(), feed.subscribe(Topic::book(&instrument))?));
    }
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
            Some(Event::Ended(_, error)) => return Err(error),
            Some(Event::Trade(id, _)) => {
                trades.iter_mut().filter(|(other, _)| *other == id).for_each(|(_, count)| *count += 1);
            }
            Some(event @ (Event::Disconnected { .. } | Event::Refused(_))) => eprintln!("{event:?}"),
            _ => {}
        }
        match lines.try_recv() {
            Err(TryRecvError::Empty) => continue,
            Err(TryRecvError::Disconnected) => break,
            Ok(()) => {}
        }
        for ((instrument, id), (_, trades)) in books.iter().zip(&trades) {
            let Some(book) = feed.book(*id) else { continue };
            let (state, place) = (book.state(), book.place());
            let (name, reason) = (state.name(), state.reason_name());
            println!("{instrument} {name} {reason} {} {trades} {}", place.seq, book.digest());
        }
        println!("{:?}", feed.counters());
    }
    feed.close();
    Ok(())
}
