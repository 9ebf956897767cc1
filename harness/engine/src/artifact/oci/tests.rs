use std::io::Write as _;

use rstest::rstest;

use super::*;

pub(super) fn layer(path: &str, compressed: bool) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o755);
    builder.append_data(&mut header, path, &b"elf"[..]).unwrap();
    let archive = builder.into_inner().unwrap();
    if !compressed {
        return archive;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&archive).unwrap();
    encoder.finish().unwrap()
}

#[rstest]
#[case("manager", true, true)]
#[case("./manager", false, true)]
#[case("usr/bin/manager", true, false)]
#[case("manager2", true, false)]
fn a_program_is_found_at_the_root_only(
    #[case] path: &str,
    #[case] compressed: bool,
    #[case] expected: bool,
) {
    let found = find(&layer(path, compressed), "manager").unwrap();
    assert_eq!(found.as_deref(), expected.then_some(&b"elf"[..]));
}

#[rstest]
#[case("quay.io/kuberay/operator:v1.6.2", "quay.io/kuberay/operator")]
#[case("localhost:5000/operator", "localhost:5000/operator")]
fn a_digest_takes_the_place_of_the_tag(#[case] image: &str, #[case] expected: &str) {
    assert_eq!(without_tag(image), expected);
}
