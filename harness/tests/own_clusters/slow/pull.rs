//! `--artifacts pull` through a company's mirrors on kind, as on envtest: the guide's scenarios
//! pass from an empty cache, and each fault of a mirror is reported with what to do.

use std::process::Output;

use assertables::assert_not_contains;
use kuberay_conformance::container::EngineKind;
use kuberay_conformance::report::Origin;
use rstest::rstest;
use semver::Version;

use crate::support::exclusive;
use crate::support::mirror::company::{Company, said};
use crate::support::mirror::{Fault, LOGIN, built};

const OPERATOR: Version = Version::new(1, 6, 2);
const CLUSTER: &str = "kuberay-conformance-pull";

/// What each fault leads to. The files of programs and the images are asked for at once, so either
/// may be refused first.
const FAULTS: [(Fault, &str, &str); 4] = [
    (
        Fault::OtherManifest,
        "from the mirror HOST: its digest is sha256:",
        "it was not used; copy the image into the mirror again",
    ),
    (
        Fault::CutBlob,
        "from the mirror HOST: the answer ended too early",
        "try again",
    ),
    (
        Fault::Stall,
        "from the mirror HOST: it sent nothing for 30 s",
        "check that HOST answers",
    ),
    (
        Fault::Login,
        "login",
        "run `podman login HOST` or `docker login HOST`",
    ),
];

fn run(company: &Company, engine: &str) -> Output {
    let mut run = company.command(&["before-ray-start", "solution"]);
    run.args(["--cluster", CLUSTER, "--engine", engine, "--nodes", "1"]);
    // kind gives the proxy of its environment to the nodes.
    run.env_remove("HTTPS_PROXY");
    run.output().unwrap()
}

#[rstest]
#[case::podman("podman", EngineKind::Podman)]
#[case::docker("docker", EngineKind::Docker)]
#[ignore = "needs kind"]
fn the_guides_scenarios_pass_from_an_empty_cache_through_mirrors(
    #[case] name: &str,
    #[case] engine: EngineKind,
) {
    let _exclusive = exclusive();
    let mut company = Company::start("kind", |_| built::for_kind(&OPERATOR, engine));
    for (fault, cause, advice) in FAULTS {
        company.mirror.set(fault);
        company.refused(&run(&company, name), &[cause, advice]);
    }

    // The mirror still wants a login, and gets that of podman or Docker.
    company.log_in(LOGIN.1);
    let done = run(&company, name);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_not_contains!(said(&done) + &company.reports(), LOGIN.1);
    let result = company.result();
    assert!(result.cases.len() >= 2, "{}", said(&done));
    for image in &result.environment.images {
        assert_eq!(image.origin, Origin::Pulled, "{image:?}");
        assert!(image.pinned, "{image:?}");
        let shown = format!("{} {}", image.name, image.source);
        assert!(!shown.contains(&company.mirror.host), "{shown}");
        assert!(image.source.ends_with("(own pins: pins.yaml)"), "{image:?}");
        assert_eq!(
            Some(&image.digest),
            company.digests.get(&image.name),
            "{image:?}"
        );
    }

    // Later runs need no network.
    company.mirror.stop();
    let done = run(&company, name);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}
