//! What one frame of the JSON venues says, taken out of the arena, for tests that look at one frame at a time.

#![allow(dead_code, reason = "each test file uses its part")]

use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::types::{Body, Events, Levels, Route, Routes, Slot, TimeNs, Trade, VenueBbo, VenueSeq};
use depthwire_core::venues::{self, Asked, At, FrameError};

/// The one thing that a frame says; levels stand beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Depth(Slot, VenueSeq),
    Snapshot(Slot, u64),
    Bbo(Slot, VenueBbo),
    Trade(Slot, Trade),
    Other,
    Nothing,
}

/// Routes of some codes.
pub fn routes(list: &[(&str, Route)]) -> Routes {
    let mut routes = Routes::new();
    for (code, route) in list {
        assert!(routes.carry([code.as_bytes()].into_iter(), *route));
    }
    routes
}

fn take(events: &Events, out: &mut Levels) -> Said {
    out.clear();
    let Some(event) = events.list().first() else { return Said::Nothing };
    assert_eq!(events.list().len(), 1, "one frame, one event");
    let mut copy = |span| {
        let sides = events.levels(span);
        out.bids.extend_from_slice(sides.bids);
        out.asks.extend_from_slice(sides.asks);
    };
    match event.body {
        Body::Levels(seq, span) => {
            copy(span);
            Said::Depth(event.slot, seq)
        }
        Body::Book(seq, span, ..) => {
            copy(span);
            Said::Snapshot(event.slot, seq.last)
        }
        Body::Bbo(bbo) => Said::Bbo(event.slot, bbo),
        Body::Trades(span) => Said::Trade(event.slot, events.trades_of(span)[0]),
        _ => Said::Other,
    }
}

/// Reads one frame on a connection of its own: one to futures, which reads what a pair says too.
pub fn decode(bytes: &[u8], routes: &Routes, out: &mut Levels) -> Result<Said, FrameError> {
    let mut events = Events::default();
    let read = venues::session(venues::BINANCE_USDM).frame(bytes, At::default(), routes, &mut events);
    if read.is_err() {
        assert_eq!(events.mark(), Events::default().mark(), "all or nothing");
    }
    let said = take(&events, out);
    read.map(|()| said)
}

/// Reads an answer for the instruments of `routes`.
pub fn answer(bytes: &[u8], routes: &Routes, out: &mut Levels) -> Result<Said, FrameError> {
    let mut events = Events::default();
    let asked = Asked { routes, url: b"" };
    let read = venues::session(venues::BINANCE_USDM).answer(&asked, bytes, At::default(), &mut events);
    let said = take(&events, out);
    read.map(|()| said)
}

/// Lines of a recording: receive time and frame.
pub fn lines(text: &[u8]) -> Vec<(TimeNs, &[u8])> {
    let mut transcript = Transcript::default();
    let (mut at, mut lines) = (0, Vec::new());
    while let Ok(Entry { start, end, ts, heard, .. }) = transcript.next(text, at, true) {
        at = end;
        let Ok(Heard::Received { bytes, .. }) = heard else { unreachable!("{heard:?}") };
        // The frame stands at the end of its line.
        let line = text[start..end].trim_ascii_end();
        lines.push((ts, &line[line.len() - bytes.len()..]));
    }
    lines
}
