//! Bytes to messages: the lines, blocks and packets that feeds and recordings come in, and the binary messages in them.
//!
//! A framing that is fed in chunks keeps no bytes: what it has not consumed goes in again. It knows formats and no venue.

pub mod binary_file;
pub mod dbn;
pub mod itch;
pub mod mold;
pub mod pcap;
pub mod soup;
