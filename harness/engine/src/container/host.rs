//! What this machine offers to a node, read from `/proc`; the parsers are pure.

use std::path::Path;

/// How the machine's control groups are mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroup {
    /// Version 1 alone.
    V1,
    /// Version 1 with a version 2 tree beside it that controls nothing.
    Hybrid,
    /// Version 2 alone.
    V2,
}

/// What this machine offers; `None` where it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Control groups.
    pub cgroup: Cgroup,
    /// Whether containers can be given `CAP_SYS_RESOURCE`.
    pub sys_resource: bool,
    /// Whether we are root.
    pub root: bool,
    /// Most tasks that our control group may hold; `None` is no limit.
    pub tasks: Option<u64>,
    /// `fs.inotify.max_user_instances`.
    pub inotify_instances: Option<u64>,
    /// `fs.inotify.max_user_watches`.
    pub inotify_watches: Option<u64>,
    /// Memory that can be had, in MiB.
    pub memory: Option<u64>,
    /// Free room in the cache folder, in MiB.
    pub cache_free: Option<u64>,
    /// Free room where the engine stores images and containers, in MiB.
    pub engine_free: Option<u64>,
    /// Whether `/lib/modules` is there; kind mounts it into each node.
    pub modules: bool,
}

impl Host {
    /// Whether podman must use runc: crun refuses hybrid control groups, and raises resource limits
    /// that it may not raise.
    pub(crate) fn needs_runc(&self) -> bool {
        self.cgroup != Cgroup::V2 || !self.sys_resource
    }

    /// Reads what this machine offers.
    pub fn read(cache: &Path, engine_storage: &Path) -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let status = text("/proc/self/status");
        let number = |path: &str| text(path).trim().parse().ok();
        Self {
            cgroup: cgroup(&text("/proc/self/mountinfo")),
            sys_resource: has_sys_resource(&status),
            root: is_root(&status),
            tasks: tasks(&text("/proc/self/cgroup")),
            inotify_instances: number("/proc/sys/fs/inotify/max_user_instances"),
            inotify_watches: number("/proc/sys/fs/inotify/max_user_watches"),
            memory: available_memory(&text("/proc/meminfo")),
            cache_free: free(cache),
            engine_free: free(engine_storage),
            modules: Path::new(MODULES).is_dir(),
        }
    }
}

/// The folder that kind mounts into each node.
pub(crate) const MODULES: &str = "/lib/modules";

/// Which control groups a text of `/proc/self/mountinfo` shows.
pub(super) fn cgroup(mountinfo: &str) -> Cgroup {
    // "36 35 98:0 /root /mount/point options optional… - type source superoptions"
    let mounts: Vec<(&str, &str)> = mountinfo
        .lines()
        .filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            Some((before.split(' ').nth(4)?, after.split(' ').next()?))
        })
        .collect();
    let has = |kind: &str| mounts.iter().any(|(_, found)| *found == kind);
    match (has("cgroup"), has("cgroup2")) {
        (true, true) => Cgroup::Hybrid,
        (true, false) => Cgroup::V1,
        _ => Cgroup::V2,
    }
}

/// Whether `CAP_SYS_RESOURCE` is in the bounding set of a text of `/proc/self/status`.
///
/// The bounding set, not the effective one: an ordinary user's process has no effective capability,
/// and the engine's daemon has them all the same.
pub(super) fn has_sys_resource(status: &str) -> bool {
    const CAP_SYS_RESOURCE: u64 = 24;
    field(status, "CapBnd:")
        .and_then(|set| u64::from_str_radix(set, 16).ok())
        .is_none_or(|set| set & (1 << CAP_SYS_RESOURCE) != 0)
}

/// Whether the effective user of a text of `/proc/self/status` is root.
pub(super) fn is_root(status: &str) -> bool {
    // "Uid: real effective saved file-system"
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .and_then(|ids| ids.split_whitespace().nth(1))
        == Some("0")
}

/// Available memory in MiB, of a text of `/proc/meminfo`.
pub(super) fn available_memory(meminfo: &str) -> Option<u64> {
    let kib: u64 = field(meminfo, "MemAvailable:")?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    Some(kib / 1024)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

/// The smallest limit of tasks on the way from our control group to the root.
fn tasks(own: &str) -> Option<u64> {
    let (mount, path) = pids_group(own)?;
    let mut folder = Path::new(mount).join(path.trim_start_matches('/'));
    let mut smallest: Option<u64> = None;
    while folder.starts_with(mount) {
        let limit = std::fs::read_to_string(folder.join("pids.max")).ok();
        if let Some(limit) = limit.and_then(|text| text.trim().parse().ok()) {
            smallest = Some(smallest.map_or(limit, |before| before.min(limit)));
        }
        if !folder.pop() {
            break;
        }
    }
    smallest
}

/// Where the limit of tasks is, of a text of `/proc/self/cgroup`: the tree's mount point and the
/// path below it.
pub(super) fn pids_group(own: &str) -> Option<(&'static str, &str)> {
    let groups = || {
        own.lines()
            .filter_map(|line| line.split_once(':')?.1.split_once(':'))
    };
    groups()
        .find(|(controllers, _)| {
            controllers
                .split(',')
                .any(|controller| controller == "pids")
        })
        .map(|(_, path)| ("/sys/fs/cgroup/pids", path))
        .or_else(|| {
            groups()
                .find(|(controllers, _)| controllers.is_empty())
                .map(|(_, path)| ("/sys/fs/cgroup", path))
        })
}

/// Free room in MiB of the file system that holds a folder, or will when it is made.
fn free(folder: &Path) -> Option<u64> {
    let present = folder.ancestors().find(|folder| folder.exists())?;
    let system = rustix::fs::statvfs(present).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize) / (1024 * 1024))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const V1: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu";
    const HYBRID: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
    const V2: &str = "25 23 0:22 / /proc rw,nosuid - proc proc rw
30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";

    #[rstest]
    #[case(V1, Cgroup::V1)]
    #[case(HYBRID, Cgroup::Hybrid)]
    #[case(V2, Cgroup::V2)]
    #[case("", Cgroup::V2)]
    fn cgroups_are_told_apart(#[case] mountinfo: &str, #[case] expected: Cgroup) {
        assert_eq!(cgroup(mountinfo), expected);
    }

    #[rstest]
    #[case("CapEff:\t000001fffeffffff\nCapBnd:\t000001fffeffffff\n", false)]
    #[case("CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n", true)]
    #[case("Name:\tno capabilities here\n", true)]
    fn the_bounding_set_decides(#[case] status: &str, #[case] expected: bool) {
        assert_eq!(has_sys_resource(status), expected);
    }

    #[rstest]
    #[case("Name:\tx\nUid:\t0\t0\t0\t0\n", true)]
    #[case("Uid:\t1000\t1000\t1000\t1000\n", false)]
    #[case("Uid:\t1000\t0\t0\t0\n", true)]
    fn root_is_the_effective_user(#[case] status: &str, #[case] expected: bool) {
        assert_eq!(is_root(status), expected);
    }

    #[test]
    fn memory_is_what_is_available() {
        assert_eq!(
            available_memory("MemTotal:  24684096 kB\nMemAvailable:   8388608 kB\n"),
            Some(8192)
        );
        assert_eq!(available_memory(""), None);
    }

    #[rstest]
    #[case("9:name=systemd:/\n8:pids:/user/a\n0::/\n", Some(("/sys/fs/cgroup/pids", "/user/a")))]
    #[case("0::/user.slice/x.scope\n", Some(("/sys/fs/cgroup", "/user.slice/x.scope")))]
    #[case("3:cpu,cpuacct:/\n", None)]
    fn the_group_that_limits_tasks(#[case] own: &str, #[case] expected: Option<(&str, &str)>) {
        assert_eq!(pids_group(own), expected);
    }
}
