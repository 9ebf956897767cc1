//! A run in parts on the kind cluster that is up: shards whose reports become one.

use kuberay_conformance::report::{CaseResult, CheckResult, rule_results};

use crate::support::copies::replaced;
use crate::support::exclusive;
use crate::support::sandbox::{Sandbox, ended, text};

/// Left out of `ci/test`, which has a limit of time.
mod slow {
    use super::*;

    /// On kind a shard is a part of the cases, where it is whole releases in the other target.
    #[test]
    #[ignore = "needs kind, takes minutes"]
    fn the_merged_report_of_three_shards_on_kind_is_that_of_one_run() {
        let _exclusive = exclusive();
        let sandbox = Sandbox::new("kind");
        // Names that the three shards share out among them.
        for name in ["one", "ends-a", "four"] {
            sandbox.scenario("exit-ends-the-container", name, |_, text| text);
        }
        sandbox.scenario(
            "exit-ends-the-container",
            "wrong",
            |file, text| match file {
                "scenario.yaml" => replaced(&text, "exitCode: 3", "exitCode: 4"),
                _ => text,
            },
        );
        let whole = sandbox.run("whole", &[]);
        assert_eq!(whole.status.code(), Some(1), "{}", text(&whole));
        let mut judged = Vec::new();
        for shard in 1..=3 {
            let part = format!("part-{shard}");
            let ran = sandbox.run(&part, &["--shard", &format!("{shard}/3")]);
            let cases = sandbox.results(&part).cases;
            assert!(!cases.is_empty(), "each shard has a part: {}", text(&ran));
            judged.extend(cases.into_iter().map(|case| case.id));
        }
        let merged = sandbox.merge(&["part-1", "part-2", "part-3"], "merged");
        assert_eq!(merged.status.code(), Some(1), "{}", text(&merged));
        let (whole, merged) = (sandbox.results("whole"), sandbox.results("merged"));
        assert_eq!(whole.cases.len(), 4, "none is judged twice");
        assert_eq!(judged.len(), 4, "none is judged twice");
        assert_eq!(ended(&merged), ended(&whole));
        assert_eq!(&merged.planned, &whole.planned);
        assert_eq!(&merged.missing, &whole.missing);
        assert_eq!(rule_results(&merged), rule_results(&whole));
        for (one, other) in merged.cases.iter().zip(&whole.cases) {
            // What a crash is told with has the count of restarts by then in it.
            let checks = |case: &CaseResult| -> Vec<_> {
                let check =
                    |check: &CheckResult| (check.name.clone(), check.location, check.outcome);
                case.checks.iter().map(check).collect()
            };
            assert_eq!(checks(one), checks(other), "{}", one.id);
            assert_eq!(one.evidence, other.evidence, "{}", one.id);
        }
    }
}
