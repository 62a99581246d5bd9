//! What the messages of each feed do to the model's books.

use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::dbn::{
    DbnError, DbnFramer, Flags, Mbo, MboChange, Metadata, Record, SymbolType,
};
use depthwire_core::framing::itch::{self, Message, text};
use depthwire_core::framing::mold;
use depthwire_core::recording::{Entry, Format, Heard, Transcript};
use depthwire_core::types::{OrderChange, is_symbol};

use crate::model::{Locate, Model, Phase, Run};

/// ITCH, in a file or a capture.
pub fn tell_itch(model: &mut Model<'_>, mut bytes: &[u8]) {
    while let Some(format) = Format::detect(bytes) {
        match format {
            Format::BinaryFile(prefix) => {
                let mut framer = BinaryFileFramer::new(prefix);
                let mut messages = framer.finish(bytes);
                let mut behind = bytes.len();
                loop {
                    let start = messages.consumed();
                    match messages.next() {
                        Some(Ok(message)) => tell_message(model, message),
                        Some(Err(_)) => {
                            lose_feed(model);
                            // Behind the end of a session another file may begin.
                            let end = bytes[start..].strip_prefix(&[0, 0]);
                            if end.and_then(LengthPrefix::detect).is_some() {
                                behind = start + 2;
                            }
                        }
                        None => break,
                    }
                }
                bytes = &bytes[behind..];
            }
            Format::Packets => return tell_capture(model, bytes),
            _ => return,
        }
    }
}

/// No book is known before the next day.
fn lose_feed(model: &mut Model<'_>) {
    model.is_unbroken = false;
    model.lose_all();
}

fn tell_message(model: &mut Model<'_>, bytes: &[u8]) {
    let Ok(message) = itch::decode(bytes) else {
        match *bytes {
            [b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U', high, low, ..] => {
                // A symbol that turns up later has lost an order already.
                let known = model.locates.entry(u16::from_be_bytes([high, low])).or_default();
                if let Some(book) = known.book {
                    model.lose(book);
                }
            }
            [b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U', ..] => lose_feed(model),
            _ => {}
        }
        return;
    };
    let locate = message.stock_locate();
    match &message {
        Message::SystemEvent(event) if event.event() == b'O' => {
            model.is_unbroken = true;
            model.locates.clear();
            for book in 0..model.books.len() {
                if model.books[book].is_open {
                    model.begin(book);
                }
            }
        }
        Message::StockDirectory(directory) => name_locate(model, locate, *directory.stock()),
        Message::AddOrder(add) => name_locate(model, locate, *add.stock()),
        Message::AddOrderAttributed(add) => name_locate(model, locate, *add.stock()),
        _ => {}
    }
    if let Some((_, change)) = message.order_change()
        && let Some(Locate { book: Some(book), .. }) = model.locates.get(&locate).copied()
    {
        model.change(book, &change);
        model.event_end(book);
    }
}

fn name_locate(model: &mut Model<'_>, locate: u16, stock: [u8; 8]) {
    let before = model.locates.get(&locate).copied();
    if before.unwrap_or_default().stock == stock {
        return;
    }
    let book = model.find(text(&stock));
    let is_taken = model.locates.values().any(|known| known.book.is_some() && known.book == book);
    model.locates.insert(locate, Locate { stock, book });
    if let Some(Locate { book: Some(before), .. }) = before {
        model.lose(before);
    }
    let Some(book) = book else { return };
    model.books[book].is_open = true;
    if before.is_some() || is_taken {
        model.lose(book);
    } else if model.is_unbroken {
        model.begin(book);
        model.whole(book);
    }
}

/// The stream that a capture is followed for.
#[derive(Default)]
struct Followed {
    session: Option<[u8; 10]>,
    session_before: Option<[u8; 10]>,
    /// Number of the message that is due.
    next: u64,
    lines: Vec<u32>,
}

fn tell_capture(model: &mut Model<'_>, bytes: &[u8]) {
    let mut followed = Followed::default();
    let (mut transcript, mut at) = (Transcript::new(Format::Packets), 0);
    while let Ok(Entry { end, heard, .. }) = transcript.next(bytes, at, true) {
        at = end;
        match heard {
            Ok(Heard::Received { line, bytes }) => tell_datagram(model, &mut followed, line, bytes),
            Err(error) if error.loses_bytes() => lose_feed(model),
            _ => {}
        }
    }
}

fn tell_datagram(model: &mut Model<'_>, followed: &mut Followed, line: u32, payload: &[u8]) {
    let Followed { session, session_before, next, lines } = followed;
    let Ok(packet) = mold::decode(payload) else {
        // What is lost with a packet of the session cannot be told.
        if session.is_some_and(|session| payload.starts_with(&session)) {
            lose_feed(model);
        }
        return;
    };
    if *session != Some(packet.session) {
        if *session_before == Some(packet.session) {
            return;
        }
        let begins = packet.messages().next().is_some_and(|first| itch::decode(first).is_ok());
        if !begins || !(lines.is_empty() || lines.contains(&line)) {
            return;
        }
        lose_feed(model);
        *session_before = session.replace(packet.session);
        *next = 1;
    }
    if !lines.contains(&line) && lines.len() < 4 {
        lines.push(line);
    }
    let (first, behind) = (packet.sequence, packet.sequence + u64::from(packet.count));
    if first > *next {
        lose_feed(model);
        *next = first;
    }
    if behind > *next {
        packet.messages().skip((*next - first) as usize).for_each(|message| tell_message(model, message));
        *next = behind;
    }
}

/// DBN files, one after the other.
pub fn tell_dbn(model: &mut Model<'_>, mut bytes: &[u8]) {
    'files: loop {
        if let Ok(Some((metadata, _))) = Metadata::read(bytes) {
            tell_metadata(model, &metadata);
        }
        for entry in DbnFramer::new().finish(bytes) {
            match entry.record {
                Ok(Record::Mbo(mbo)) => tell_order(model, mbo),
                Err(DbnError::MetadataAmongRecords) => {
                    bytes = &bytes[entry.start..];
                    continue 'files;
                }
                Err(error) if error.ends_the_stream() => lose_stream(model),
                _ => {}
            }
        }
        return;
    }
}

fn lose_stream(model: &mut Model<'_>) {
    model.told.iter_mut().for_each(|told| told.run = Run::None);
    model.lose_all();
}

fn tell_metadata(model: &mut Model<'_>, metadata: &Metadata) {
    if model.end.is_some_and(|end| end != Some(metadata.start)) {
        lose_stream(model);
    }
    model.end = Some(metadata.end);
    model.numbers.clear();
    for mapping in &metadata.mappings {
        for interval in &mapping.intervals {
            let mut pair = [&interval.symbol, &mapping.symbol];
            if metadata.stype_in == Some(SymbolType::InstrumentId) {
                pair.reverse();
            }
            let number = |text: &str| text.parse::<u32>().ok();
            let Some((number, symbol)) =
                number(pair[0]).map(|number| (number, pair[1])).or_else(|| Some((number(pair[1])?, pair[0])))
            else {
                continue;
            };
            let symbol = if is_symbol(symbol) { symbol.clone() } else { format!("ID{number}") };
            let book = model.find(symbol.as_bytes());
            let days = (interval.start.start_ns(), interval.end.start_ns(), book);
            model.numbers.entry(number).or_default().push(days);
        }
    }
}

/// The book that a number stands for at a time.
fn book_of(model: &mut Model<'_>, number: u32, ts: u64) -> Option<usize> {
    let unnamed = model.find(format!("ID{number}").as_bytes());
    let names = model.numbers.entry(number).or_insert_with(|| vec![(0, u64::MAX, unnamed)]);
    let (.., first) = *names.first()?;
    if names.iter().all(|(.., book)| *book == first) {
        return first;
    }
    names.iter().find(|(from, until, book)| book.is_some() && (*from..*until).contains(&ts))?.2
}

fn tell_order(model: &mut Model<'_>, mbo: Mbo<'_>) {
    let header = mbo.header();
    let Some(book) = book_of(model, header.instrument_id, mbo.ts_recv()) else { return };
    let origin = (header.publisher_id, header.instrument_id);
    if model.told[book].origin.replace(origin).is_some_and(|before| before != origin) {
        model.told[book].run = Run::Broken;
        model.lose(book);
    }
    let (flags, change) = (mbo.flags(), mbo.change());
    let is_clear = change == Ok(MboChange::Order(OrderChange::Clear));
    let is_snapshot = flags.has(Flags::SNAPSHOT);
    let is_doubted = flags.has(Flags::MAYBE_BAD_BOOK);
    let mut run = model.told[book].run;
    if is_doubted && run != Run::Broken {
        model.lose(book);
        run = Run::Broken;
    }
    if run == Run::Broken && !is_snapshot {
        run = Run::None;
    }
    if !is_doubted && (is_clear || run == Run::None && is_snapshot) {
        model.begin(book);
        run = if is_snapshot { Run::Open } else { Run::Cleared };
    } else if run == Run::Open && !is_snapshot {
        if model.books[book].phase == Phase::Building {
            model.whole(book);
        }
        run = Run::None;
    }
    match change {
        Ok(MboChange::Order(change)) => model.change(book, &change),
        Ok(MboChange::Nothing) => {}
        Ok(MboChange::Top { .. } | MboChange::Aggregate) | Err(_) => model.lose(book),
    }
    if flags.has(Flags::LAST) {
        if model.books[book].phase == Phase::Building {
            model.whole(book);
        }
        model.event_end(book);
        run = Run::None;
    }
    model.told[book].run = run;
}
