//! Why a measurement could not be made, or could not be ended.

use serde::Serialize;

/// What is wrong, what was expected, what came and what to do; the code is stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable name: `bench.*`.
    pub code: &'static str,
    /// What is wrong, and where.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What to do.
    pub fix: &'static str,
}

impl Fault {
    pub(crate) fn new(
        code: &'static str,
        what: impl Into<String>,
        [expected, got]: [&str; 2],
        fix: &'static str,
    ) -> Self {
        Self { code, what: what.into(), expected: expected.to_owned(), got: got.to_owned(), fix }
    }

    /// The server under test did not do its part.
    pub(crate) fn server(what: impl Into<String>, expected: &str, got: impl std::fmt::Display) -> Self {
        let fix = "look at the server's own output; run again, and at a lower rate if it was overloaded";
        Self::new("bench.server", what, [expected, &got.to_string()], fix)
    }

    /// What depthwire itself made is wrong.
    pub(crate) fn own(what: impl Into<String>, got: impl std::fmt::Display) -> Self {
        let fix = "this is a fault of depthwire: report it, with what the command said";
        Self::new("bench.own", what, ["that it is right", &got.to_string()], fix)
    }

    /// The machine refused something.
    pub(crate) fn machine(what: impl Into<String>, got: impl std::fmt::Display) -> Self {
        let fix = "look whether limits of files, memory or threads are reached (ulimit -a)";
        Self::new("bench.machine", what, ["that the machine grants it", &got.to_string()], fix)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, what, expected, got, fix } = self;
        write!(f, "{code}: {what}\nexpected: {expected}\ngot: {got}\nfix: {fix}")
    }
}

impl std::error::Error for Fault {}
