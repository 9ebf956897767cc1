//! What benches of envtest share: a cache folder of their own, and what processes use.

use std::path::{Path, PathBuf};

use kuberay_conformance::artifact::Store;

/// Ticks a second in which Linux tells a process's CPU time to programs, on every architecture.
const TICKS: f64 = 100.0;

/// What a process has used.
pub struct ProcessUse {
    /// The name of its program's file.
    pub kind: String,
    parent: u32,
    /// CPU seconds.
    pub cpu: f64,
    /// Resident memory in MiB.
    pub memory: u64,
    /// The largest that it was.
    #[allow(dead_code, reason = "not every bench tells it")]
    pub peak: u64,
}

/// Makes a cache folder in which nothing runs yet; only programs are shared with the user's.
pub fn cache_of_its_own(folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let (store, cache) = (Store::open()?, folder.join("cache"));
    std::fs::create_dir(&cache)?;
    for shared in ["programs", "modules", "artifacts-source", "stored-crds"] {
        if store.root().join(shared).exists() {
            std::os::unix::fs::symlink(store.root().join(shared), cache.join(shared))?;
        }
    }
    Ok(cache)
}

/// A process and those that it has started, as they are now.
pub fn with_children(parent: u32) -> Vec<(u32, ProcessUse)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let all = ids.filter_map(|id| Some((id, seen(id)?)));
    all.filter(|(id, seen)| *id == parent || seen.parent == parent)
        .collect()
}

fn seen(id: u32) -> Option<ProcessUse> {
    let folder = Path::new("/proc").join(id.to_string());
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // The name, in parentheses, may hold anything; fields are counted after it.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let program = std::fs::read_link(folder.join("exe")).ok()?;
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let mebibytes = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = value.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes / 1024)
    };
    Some(ProcessUse {
        kind: program.file_name()?.to_str()?.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        cpu: (ticks(11)? + ticks(12)?) / TICKS,
        memory: mebibytes("VmRSS:")?,
        peak: mebibytes("VmHWM:")?,
    })
}
