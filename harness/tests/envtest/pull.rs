//! `--artifacts pull` through a company's mirrors, as docs/guide/air-gapped.md describes it:
//! nothing is built, no public server is asked, names stay public, and each fault of a mirror is
//! reported with what to do.

use std::process::Output;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kuberay_conformance::report::Origin;
use rstest::rstest;
use semver::Version;
use serde_json::json;

use crate::support::exclusive;
use crate::support::mirror::company::{Company, said};
use crate::support::mirror::{Fault, LOGIN, built};

const OPERATOR: Version = Version::new(1, 6, 2);
const IMAGE: &str = "quay.io/kuberay/operator:v1.6.2";

fn company() -> Company {
    Company::start("envtest", |folder| built::for_envtest(&OPERATOR, folder))
}

fn run(company: &Company) -> Output {
    company.command(&["default-command"]).output().unwrap()
}

#[test]
#[ignore = "needs envtest"]
fn a_run_passes_from_an_empty_cache_through_mirrors() {
    let _exclusive = exclusive();
    let mut company = company();
    let done = run(&company);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));

    let result = company.result();
    assert!(!result.cases.is_empty(), "{}", said(&done));
    let images = &result.environment.images;
    let of_image = |source: &&str| source.starts_with("image ");
    let sources: Vec<&str> = images.iter().map(|image| &*image.source).collect();
    let sources: Vec<&str> = sources.into_iter().filter(of_image).collect();
    let digest = &company.digests[IMAGE];
    let name = IMAGE.rsplit_once(':').unwrap().0;
    let expected = format!("image {name}:v1.6.2@{digest} (own pins: pins.yaml)");
    assert_eq!(sources, [expected]);
    for image in images {
        assert_eq!(image.origin, Origin::Pulled, "{image:?}");
        let shown = format!("{} {}", image.name, image.source);
        assert!(!shown.contains(&company.mirror.host), "{shown}");
    }

    // All of it went through the mirror, and nothing was built.
    let asked = company.mirror.asked();
    for part in ["/kube-apiserver", ".sha256", "/SHA256SUMS", "@v/v1.6.2.zip"] {
        assert!(asked.iter().any(|path| path.ends_with(part)), "{asked:?}");
    }
    let registry = "/v2/company/quay.io/kuberay/operator/";
    assert!(
        asked.iter().any(|path| path.starts_with(registry)),
        "{asked:?}"
    );
    let programs = company.folder.path().join("cache/programs");
    for entry in std::fs::read_dir(programs).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.ends_with("-pulled"), "{name}");
    }

    // Later runs need no network.
    company.mirror.stop();
    let done = run(&company);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}

#[rstest]
#[case::wrong_digest(
    Fault::OtherManifest,
    "pulling its manifest from the mirror HOST: its digest is sha256:",
    "is expected; it was not used; copy the image into the mirror again"
)]
#[case::truncated_layer(
    Fault::CutBlob,
    "pulling layer 1 of 1 from the mirror HOST: the answer ended too early",
    "try again"
)]
#[case::stalled_registry(
    Fault::Stall,
    "from the mirror HOST: it sent nothing for 30 s",
    "check that HOST answers"
)]
#[case::wrong_checksum(
    Fault::OtherChecksum,
    "the checksum is ",
    "it was not used; copy the file again"
)]
#[case::login(
    Fault::Login,
    "401 Unauthorized",
    "run `podman login HOST` or `docker login HOST`"
)]
#[ignore = "needs envtest"]
fn a_fault_of_the_mirror_is_reported_with_what_to_do(
    #[case] fault: Fault,
    #[case] cause: &str,
    #[case] advice: &str,
) {
    let _exclusive = exclusive();
    let company = company();
    company.mirror.set(fault);
    company.refused(&run(&company), &[cause, advice]);
}

#[test]
#[ignore = "needs envtest"]
fn a_digest_that_the_mirror_lacks_is_reported_with_what_to_do() {
    let _exclusive = exclusive();
    let company = company();
    let digest = format!("sha256:{}", "0".repeat(64));
    company.pin(&json!({"operator": {"1.6.2": digest}}));
    let expected = [
        "quay.io/kuberay/operator@sha256:0000",
        "it has no such image; copy the image into the mirror",
    ];
    company.refused(&run(&company), &expected);
}

#[test]
#[ignore = "needs envtest"]
fn the_login_of_podman_or_docker_is_used_and_never_shown() {
    let _exclusive = exclusive();
    let company = company();
    company.mirror.set(Fault::Login);
    let wrong = "c4n4ry-wr0ng";
    company.log_in(wrong);
    let refused = run(&company);
    company.refused(
        &refused,
        &["home/.config/containers/auth.json", "log in again"],
    );

    company.log_in(LOGIN.1);
    let done = run(&company);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let shown = said(&refused) + &said(&done) + &company.reports();
    for password in [wrong, LOGIN.1] {
        let encoded = BASE64_STANDARD.encode(format!("{}:{password}", LOGIN.0));
        assert!(!shown.contains(password), "{shown}");
        assert!(!shown.contains(&encoded), "{shown}");
    }
}
