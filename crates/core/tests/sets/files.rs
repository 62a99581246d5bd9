//! Files of the recordings, unpacked.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses its part; a file that is listed and cannot be read is a failed test"
)]

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the recordings are, if anywhere.
pub fn found() -> Option<PathBuf> {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    root.join("MANIFEST.md").is_file().then_some(root)
}

/// Where the recordings are; `None`, said on standard error as `test`'s skip, where there are none.
pub fn root(test: &str) -> Option<PathBuf> {
    let root = found();
    if root.is_none() {
        eprintln!("SKIPPED: {test}: no recordings here (set DEPTHWIRE_DATA)");
    }
    root
}

/// A file, unpacked by the end of its name; `None`, said on standard error, where the machine has no program for it.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    let packed = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    match path.extension().and_then(OsStr::to_str) {
        Some("gz") => {
            flate2::read::MultiGzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
        }
        Some("zst") => {
            zstd::Decoder::new(&*packed).unwrap().read_to_end(&mut bytes).unwrap();
        }
        Some("xz") => {
            let Ok(output) = Command::new("xz").arg("-dc").arg(path).output() else {
                eprintln!("SKIPPED: {}: no `xz` here", path.display());
                return None;
            };
            assert!(output.status.success(), "{}", path.display());
            bytes = output.stdout;
        }
        // One file, in which nothing is packed.
        Some("zip") => {
            let number = |at: usize| u32::from_le_bytes(*packed[at..].first_chunk().unwrap()) as usize;
            let begin = 30 + (number(26) & 0xFFFF) + (number(26) >> 16);
            bytes.extend_from_slice(&packed[begin..begin + number(22)]);
        }
        _ => return Some(packed),
    }
    Some(bytes)
}

/// Files of a folder and of those in it, by the end of their names.
pub fn all_in(folder: &Path, ends: &[String]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(all_in(&path, ends));
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end.as_str())) {
            found.extend(read(&path));
        }
    }
    found
}
