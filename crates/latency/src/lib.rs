//! Times between two points, measured honestly: a clock, planned sending, histograms, and what the machine itself adds.
//!
//! [`clock`] is shared with the addon's stage stamps.

pub mod clock;
