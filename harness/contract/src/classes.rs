//! Behaviour classes: ranges of releases whose operators treat `command` and `args` alike.

use semver::Version;

/// Releases with the same contract, from `since` up to the next class.
///
/// ```
/// use kuberay_contract::class_of;
///
/// let class = class_of(&"1.3.1".parse()?);
/// assert_eq!(class.name, "1.3.0");
/// assert!(!class.provisional);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its lower bound as a full version, the part of a snapshot's file name after `@ge-`.
    pub name: &'static str,
    /// The first release of the class.
    pub since: Version,
    /// The difference from the class before, with the source file or issue that shows it.
    pub why: &'static str,
    /// Read from sources only, not yet seen on a real operator.
    pub provisional: bool,
}

/// Every class, oldest first. File names are those of the operator's own repository, numbers its
/// issues.
///
/// ```
/// use kuberay_contract::CLASSES;
///
/// assert_eq!(CLASSES[0].name, "1.0.0");
/// assert!(CLASSES.is_sorted_by(|one, next| one.since < next.since));
/// ```
pub static CLASSES: [Class; 11] = [
    Class {
        name: "1.0.0",
        since: Version::new(1, 0, 0),
        why: "`/bin/bash -lc --`, flags in random order, `block: \"false\"` honoured with `&& sleep infinity`, and no \
              probes without GCS fault tolerance (controllers/ray/common/pod.go).",
        provisional: false,
    },
    Class {
        name: "1.1.0",
        since: Version::new(1, 1, 0),
        why: "The overwrite annotation and KUBERAY_GEN_RAY_START_CMD (#1704), `--block` forced (#1718), \
              `--dashboard-agent-listen-port` and probes always added (controllers/ray/common/pod.go).",
        provisional: false,
    },
    Class {
        name: "1.2.0",
        since: Version::new(1, 2, 0),
        why: "The autoscaler runs through a login shell (#2268), and probes have longer timeouts \
              (controllers/ray/common/pod.go).",
        provisional: false,
    },
    Class {
        name: "1.2.2",
        since: Version::new(1, 2, 2),
        why: "Probes of the head have a timeout of 5 s instead of 2 s (controllers/ray/utils/constant.go), and a \
              RayJob needs no entrypoint (config/crd/bases/ray.io_rayjobs.yaml).",
        provisional: false,
    },
    Class {
        name: "1.3.0",
        since: Version::new(1, 3, 0),
        why: "Flags are sorted by key (#2425), `--num-cpus` falls back to requests (#2365), accelerators become \
              `--resources`, the submitter runs through a shell, and REDIS_PASSWORD is set only where there is one \
              (controllers/ray/common/pod.go, job.go).",
        provisional: false,
    },
    Class {
        name: "1.3.2",
        since: Version::new(1, 3, 2),
        why: "The submitter of a RayJob submits with `--no-wait` and always follows the log, with `-ce` (#3216).",
        provisional: false,
    },
    Class {
        name: "1.4.0",
        since: Version::new(1, 4, 0),
        why: "`/bin/bash -c --`, no login shell unless the operator has ENABLE_LOGIN_SHELL=true (#3679, #3704), \
              `wget --tries 1` in probes (#3469), MIG resources count as GPUs, and the RayCluster of a RayJob or \
              RayService is named without `-raycluster-` (controllers/ray/utils/util.go).",
        provisional: false,
    },
    Class {
        name: "1.5.0",
        since: Version::new(1, 5, 0),
        why: "A group's own `resources` and `labels` become flags, and wait-gcs-ready names another page \
              (controllers/ray/common/pod.go).",
        provisional: false,
    },
    Class {
        name: "1.5.1",
        since: Version::new(1, 5, 1),
        why: "`authOptions` gives Ray's containers a token (controllers/ray/common/pod.go SetContainerTokenAuthEnvVars).",
        provisional: false,
    },
    Class {
        name: "1.6.0",
        since: Version::new(1, 6, 0),
        why: "RAY_CLUSTER_NAMESPACE is added, and probes take their ports from rayStartParams and use HTTP from Ray \
              2.53 on (#4041).",
        provisional: false,
    },
    Class {
        name: "1.7.0",
        since: Version::new(1, 7, 0),
        why: "`ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}` (#4860), `include-log-monitor` keeps its value (#4857), \
              the autoscaler has KUBERAY_GEN_AUTOSCALER_START_CMD (#4835), and every submitter waits for the dashboard \
              (#4798, #4800).",
        provisional: false,
    },
];

/// The first release whose `ray start` flags come in a fixed order, sorted by key (#2425).
///
/// ```
/// assert_eq!(kuberay_contract::FLAGS_SORTED_SINCE.to_string(), "1.3.0");
/// ```
pub const FLAGS_SORTED_SINCE: Version = Version::new(1, 3, 0);

/// The newest patch release of each minor release whose source was read and whose operator ran.
static READ: [Version; 8] = [
    Version::new(1, 0, 0),
    Version::new(1, 1, 1),
    Version::new(1, 2, 2),
    Version::new(1, 3, 2),
    Version::new(1, 4, 2),
    Version::new(1, 5, 2),
    Version::new(1, 6, 2),
    Version::new(1, 7, 0),
];

/// Returns the reason why the contract may not hold for a release: its source was not read for this
/// table. `None` for a release that was read, and for a patch release before one that was read.
///
/// ```
/// use kuberay_contract::unverified;
/// use semver::Version;
///
/// assert_eq!(unverified(&Version::new(1, 6, 2)), None);
/// let reason = unverified(&Version::new(1, 6, 9)).unwrap();
/// assert!(reason.ends_with("the output is that of 1.6.2"), "{reason}");
/// ```
pub fn unverified(release: &Version) -> Option<String> {
    let plain = plain(release);
    let of_minor = READ
        .iter()
        .find(|read| (read.major, read.minor) == (plain.major, plain.minor));
    match of_minor {
        Some(read) if plain <= *read => None,
        Some(read) => Some(format!(
            "KubeRay {release} is newer than the known releases of {}.{}; the output is that of {read}",
            read.major, read.minor
        )),
        None if plain < READ[0] => Some(format!(
            "KubeRay {release} is older than all known releases; the output is that of {}",
            READ[0]
        )),
        None => {
            let last = &READ[READ.len() - 1];
            Some(format!(
                "KubeRay {release} is not known; the output is that of {last}"
            ))
        }
    }
}

/// A release without pre-release and build parts: 1.7.0-rc.1 already behaves as 1.7.0.
pub(super) fn plain(release: &Version) -> Version {
    Version::new(release.major, release.minor, release.patch)
}

/// Returns the class of a release. A release older than every class has the first one, a newer
/// release the last one; a candidate counts as its release.
///
/// ```
/// use kuberay_contract::class_of;
///
/// assert_eq!(class_of(&"1.6.2".parse()?).name, "1.6.0");
/// assert_eq!(class_of(&"0.6.0".parse()?).name, "1.0.0");
/// # Ok::<(), semver::Error>(())
/// ```
pub fn class_of(release: &Version) -> &'static Class {
    let release = plain(release);
    CLASSES
        .iter()
        .rev()
        .find(|class| class.since <= release)
        .unwrap_or(&CLASSES[0])
}

/// Returns whether the order of generated `ray start` flags belongs to a release's contract.
///
/// ```
/// use kuberay_contract::flags_are_ordered;
///
/// assert!(!flags_are_ordered(&"1.2.2".parse()?));
/// assert!(flags_are_ordered(&"1.3.0".parse()?));
/// # Ok::<(), semver::Error>(())
/// ```
pub fn flags_are_ordered(release: &Version) -> bool {
    plain(release) >= FLAGS_SORTED_SINCE
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.6.0", "1.0.0")]
    #[case("1.0.0", "1.0.0")]
    #[case("1.1.1", "1.1.0")]
    #[case("1.2.0", "1.2.0")]
    #[case("1.2.1", "1.2.0")]
    #[case("1.2.2", "1.2.2")]
    #[case("1.3.1", "1.3.0")]
    #[case("1.3.2", "1.3.2")]
    #[case("1.4.2", "1.4.0")]
    #[case("1.5.0", "1.5.0")]
    #[case("1.5.1", "1.5.1")]
    #[case("1.6.0", "1.6.0")]
    #[case("1.6.2", "1.6.0")]
    #[case("1.7.0-rc.0", "1.7.0")]
    #[case("1.7.0", "1.7.0")]
    #[case("2.0.0", "1.7.0")]
    fn a_release_has_the_class_with_the_greatest_bound(#[case] release: &str, #[case] class: &str) {
        assert_eq!(class_of(&release.parse().unwrap()).name, class);
    }

    #[test]
    fn classes_are_in_order_and_named_by_their_bound() {
        let bounds = CLASSES.each_ref().map(|class| &class.since);
        assert!(bounds.is_sorted_by(|one, next| one < next), "{bounds:?}");
        for class in &CLASSES {
            assert_eq!(class.name, class.since.to_string());
            assert!(
                class.why.contains(".go") || class.why.contains('#'),
                "no source: {}",
                class.why
            );
        }
        let provisional: Vec<_> = CLASSES.iter().filter(|class| class.provisional).collect();
        assert_eq!(provisional, [] as [&Class; 0]);
    }

    #[rstest]
    #[case("1.0.0", None)]
    #[case("1.3.0", None)]
    #[case("1.6.2", None)]
    #[case("1.7.0-rc.1", None)]
    #[case(
        "0.6.0",
        Some("older than all known releases; the output is that of 1.0.0")
    )]
    #[case(
        "1.6.9",
        Some("newer than the known releases of 1.6; the output is that of 1.6.2")
    )]
    #[case("1.8.0", Some("is not known; the output is that of 1.7.0"))]
    #[case("9.9.9", Some("is not known; the output is that of 1.7.0"))]
    fn what_nobody_has_read_is_said(#[case] release: &str, #[case] expected: Option<&str>) {
        let reason = unverified(&release.parse().unwrap());
        match expected {
            None => assert_eq!(reason, None),
            Some(part) => assert!(
                reason.as_ref().is_some_and(|reason| reason.contains(part)),
                "{reason:?}"
            ),
        }
    }

    #[test]
    fn every_class_begins_with_a_release_that_was_read() {
        for class in &CLASSES {
            assert_eq!(unverified(&class.since), None, "{}", class.name);
        }
    }

    #[rstest]
    #[case("1.2.2", false)]
    #[case("1.3.0-rc.1", true)]
    #[case("1.3.0", true)]
    fn flags_are_ordered_from_1_3(#[case] release: &str, #[case] ordered: bool) {
        assert_eq!(flags_are_ordered(&release.parse().unwrap()), ordered);
    }
}
