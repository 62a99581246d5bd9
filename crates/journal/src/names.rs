//! How segments are called: in the order of their names they are in the order of time.

use std::path::{Path, PathBuf};

/// What the name of a segment ends with.
pub const SEGMENT: &str = ".dwj";
/// The same of a packed one.
pub const SEALED: &str = ".dwj.zst";
/// While it is being packed.
pub(crate) const SEALING: &str = ".dwj.zst.part";

const MS: u64 = 1_000_000;
/// Letters of a run's name.
const RUN_LEN: usize = "20261130T211500123Z".len();
const NUMBER_LEN: usize = 8;

/// What the names of a run's segments begin with: the time of its beginning (ns since the epoch), UTC.
#[must_use]
pub fn run_name(created: u64) -> String {
    let ms = created / MS;
    let (days, of_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = date_of(days);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{milli:03}Z")
}

/// The file of a segment.
pub(crate) fn path_of(folder: &Path, run: &str, number: u64) -> PathBuf {
    folder.join(format!("{run}-{number:0NUMBER_LEN$}{SEGMENT}"))
}

/// Whether a file is a segment of a recorder's, plain or packed: nothing else is ever let go.
pub(crate) fn is_segment(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(SEALED).or_else(|| name.strip_suffix(SEGMENT)) else {
        return false;
    };
    let Some((run, number)) = stem.split_at_checked(RUN_LEN) else { return false };
    let is_run = run.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        18 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    let Some(number) = number.strip_prefix('-') else { return false };
    is_run && number.len() >= NUMBER_LEN && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The day of the proleptic Gregorian calendar that many days behind 1970-01-01 (H. Hinnant, "chrono-compatible low-level
/// date algorithms", `civil_from_days`).
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_by_their_time() {
        for (ns, name) in [
            (0, "19700101T000000000Z"),
            (951_782_399_999_000_000, "20000228T235959999Z"),
            (951_782_400_000_999_999, "20000229T000000000Z"),
            (1_796_073_299_123_000_000, "20261130T211459123Z"),
            (u64::MAX, "25540721T233433709Z"),
        ] {
            assert_eq!(run_name(ns), name);
        }
    }

    #[test]
    fn what_is_no_segment_is_left_alone() {
        let name = path_of(Path::new("a"), &run_name(5), 7);
        assert_eq!(name, Path::new("a/19700101T000000000Z-00000007.dwj"));
        for name in ["19700101T000000000Z-00000007.dwj", "19700101T000000000Z-123456789.dwj.zst"] {
            assert!(is_segment(name), "{name}");
        }
        for name in [
            "",
            ".dwj",
            "00000000.dwj",
            "19700101T000000000Z-0000000.dwj",
            "19700101T000000000Z-00000007.dwj.zst.part",
            "19700101T000000000Z-00000007.txt",
            "1970010100000000000-00000007.dwj",
            "19700101T000000000Z_00000007.dwj",
            "ä9700101T00000000Z-00000007.dwj",
        ] {
            assert!(!is_segment(name), "{name}");
        }
    }
}
