//! Which segments are let go: the oldest, by age and by bytes.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::names::is_segment;

/// What a folder keeps. The segment that is being written is never let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Most bytes of all segments; 0 = no limit.
    pub bytes_max: u64,
    /// Segments that were written last longer ago are let go; 0 = never.
    pub age_max: Duration,
}

impl Retention {
    /// Lets go what is too much, the oldest first, and returns how many that were. A file that cannot be removed is passed
    /// over: it is tried again with the next segment.
    pub(crate) fn apply(&self, folder: &Path) -> u64 {
        if *self == Self::default() {
            return 0;
        }
        let mut segments = segments_of(folder);
        // The last one may be being written.
        let Some((_, last)) = segments.pop() else { return 0 };
        let mut bytes = last.len() + segments.iter().map(|(_, data)| data.len()).sum::<u64>();
        let now = SystemTime::now();
        let mut count = 0;
        for (path, data) in segments {
            let age = data.modified().ok().and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            let is_old = !self.age_max.is_zero() && age > self.age_max;
            let is_much = self.bytes_max != 0 && bytes > self.bytes_max;
            if !is_old && !is_much {
                break;
            }
            if std::fs::remove_file(&path).is_ok() {
                bytes -= data.len();
                count += 1;
            }
        }
        count
    }
}

/// The segments of a folder, the oldest first.
fn segments_of(folder: &Path) -> Vec<(PathBuf, Metadata)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut segments: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_segment))
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .collect();
    segments.sort_by(|(a, _), (b, _)| a.cmp(b));
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{path_of, run_name};

    #[test]
    fn the_oldest_go_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("depthwire-retention-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("notes.txt"), vec![0; 1000]).unwrap();
        std::fs::write(folder.join("00000000.dwj"), vec![0; 1000]).unwrap();
        let paths: Vec<_> = [(5, 0), (5, 1), (3_000_000_000, 0), (3_000_000_000, 1)]
            .map(|(at, number)| path_of(&folder, &run_name(at), number))
            .into();
        for path in &paths {
            std::fs::write(path, vec![0; 100]).unwrap();
        }
        let left = || paths.iter().filter(|path| path.exists()).count();
        assert_eq!(Retention::default().apply(&folder), 0);
        assert_eq!(Retention { bytes_max: 400, ..Retention::default() }.apply(&folder), 0);
        assert_eq!(Retention { bytes_max: 399, ..Retention::default() }.apply(&folder), 1);
        assert!(!paths[0].exists());
        let old = SystemTime::now() - Duration::from_secs(100);
        std::fs::File::options().write(true).open(&paths[1]).unwrap().set_modified(old).unwrap();
        let aged = Retention { age_max: Duration::from_secs(99), ..Retention::default() };
        assert_eq!((aged.apply(&folder), aged.apply(&folder), left()), (1, 0, 2));
        // However little may be kept, the last one stays.
        assert_eq!(Retention { bytes_max: 1, ..Retention::default() }.apply(&folder), 1);
        assert!(
            paths[3].exists() && folder.join("notes.txt").exists() && folder.join("00000000.dwj").exists()
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
