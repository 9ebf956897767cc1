//! Commands and parameters around `ray start`: what starts Ray for good, what never does, and what
//! does no harm.

use rstest::rstest;

use super::adversarial::all;
use super::*;

#[rstest]
#[case::suffix("nvidia.com/mig-1g.5gb.me", true)]
#[case::shared("nvidia.com/mig-1g.10gb.shared", true)]
#[case::plain("nvidia.com/mig-1g.5gb", false)]
fn slices_of_gpus_that_become_no_flag(#[case] limit: &str, #[case] ignored: bool) {
    let container = format!("resources: {{limits: {{cpu: 1, {limit}: 1}}}}");
    let expected = if ignored {
        &["accelerator-ignored"][..]
    } else {
        &[]
    };
    for version in ["1.4.2", "1.6.2", "1.7.0"] {
        let found = all(&manifest(&container, ""), version);
        assert_eq!(found, expected, "{limit} on {version}");
    }
    let given = manifest(&container, "rayStartParams: {num-gpus: '1'}");
    assert_eq!(all(&given, "1.6.2"), [""; 0]);
}
