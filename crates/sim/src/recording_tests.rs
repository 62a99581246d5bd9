//! The shape of a recording, and its limits.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

const START_MS: u64 = 1_723_161_254_000;

fn lines(duration_ms: u64) -> Vec<(u64, String)> {
    let mut out = Vec::new();
    recording("BTCUSDT", 5, START_MS, duration_ms, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| {
            let (time, json) = line.split_once(' ').unwrap();
            (time.parse().unwrap(), json.to_owned())
        })
        .collect()
}

#[test]
fn holds_one_instrument_with_the_rest_answer_among_its_first_frames() {
    let lines = lines(3_000);
    assert!(lines.windows(2).all(|pair| pair[0].0 < pair[1].0), "receive times rise");
    let answers: Vec<usize> =
        (0..lines.len()).filter(|&index| lines[index].1.starts_with("{\"lastUpdateId\":")).collect();
    assert_eq!(answers.len(), 1);
    let answered_ns = lines[answers[0]].0;
    assert!((350_000_000..360_000_000).contains(&(answered_ns - START_MS * 1_000_000)), "{answered_ns}");
    for (index, line) in lines.iter().enumerate() {
        assert!(index == answers[0] || line.1.starts_with("{\"stream\":\"btcusdt@"), "{}", line.1);
    }
    assert!(lines[..answers[0]].iter().any(|line| line.1.contains("depthUpdate")));
    assert!(lines[answers[0]..].iter().any(|line| line.1.contains("depthUpdate")));
}

#[test]
fn holds_exactly_the_frames_that_a_market_sends() {
    let mut market = Market::new(5, START_MS);
    let mut frame = Vec::new();
    let recorded = lines(2_000);
    let mut recorded = recorded.iter().filter(|line| !line.1.starts_with("{\"lastUpdateId\":"));
    while market.next(START_MS + 1_999, &mut frame) {
        if frame.starts_with(b"{\"stream\":\"btcusdt@") {
            let (received_ns, text) = recorded.next().unwrap();
            assert_eq!(text.as_bytes(), frame);
            assert!(*received_ns > market.frame_time_ms() * 1_000_000);
        }
    }
    assert!(recorded.next().is_none());
}

#[test]
fn a_short_one_ends_with_the_rest_answer() {
    for duration_ms in [0, 1, 40, 200] {
        assert!(lines(duration_ms).last().unwrap().1.starts_with("{\"lastUpdateId\":"), "{duration_ms}");
    }
}

#[test]
fn refuses_what_it_does_not_have() {
    let mut out = Vec::new();
    assert_eq!(recording("XRPUSDT", 1, 0, 10, &mut out), Err(SimError::UnknownSymbol));
    let asked_ms = RECORDING_MS_MAX + 1;
    let too_long = SimError::RecordingTooLong { asked_ms };
    assert_eq!(recording("BTCUSDT", 1, 0, asked_ms, &mut out), Err(too_long));
}
