use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::Scenario;
use crate::TargetKind;
use crate::plan::tests::scenario;
use crate::plan::{Filter, Pair, cases};

/// A plan of scenarios that are called `s0`, `s1` … in a target, on these pairs.
fn plan(target: TargetKind, count: usize, pairs: &[&str]) -> Vec<TestCase> {
    let scenarios: Vec<Arc<Scenario>> = (0..count)
        .map(|number| scenario(&format!("s{number}"), target, "*", "*"))
        .collect();
    let pairs: Vec<Pair> = pairs.iter().map(|text| text.parse().unwrap()).collect();
    cases(&scenarios, &[(target, pairs)], &Filter::default()).cases
}

const PAIR: &[&str] = &["1.6.2/2.52.0"];
const RELEASES: &[&str] = &[
    "1.0.0/2.52.0",
    "1.1.1/2.52.0",
    "1.2.2/2.52.0",
    "1.3.2/2.52.0",
    "1.6.2/2.52.0",
];

/// So many seconds for `s0`, `s1` …
fn durations(seconds: &[f64]) -> Durations {
    let id =
        |(number, seconds): (usize, &f64)| (format!("kind::1.6.2::2.52.0::s{number}"), *seconds);
    seconds.iter().enumerate().map(id).collect()
}

fn shards(cases: &[TestCase], count: u16, durations: &Durations) -> Vec<Vec<String>> {
    let own = |index| {
        let shard = Shard { index, count };
        let division = Division {
            shard,
            durations: durations.clone(),
        };
        division.own(cases).iter().map(TestCase::id).collect()
    };
    (1..=count).map(own).collect()
}

fn names(ids: &[String]) -> Vec<&str> {
    ids.iter()
        .map(|id| id.rsplit("::").next().unwrap())
        .collect()
}

#[rstest]
#[case("1/3", 1, 3)]
#[case(" 3 / 3", 3, 3)]
#[case("1/1", 1, 1)]
fn a_shard_is_one_of_several(#[case] text: &str, #[case] index: u16, #[case] count: u16) {
    assert_eq!(text.parse(), Ok(Shard { index, count }));
}

#[rstest]
#[case("0/3")]
#[case("4/3")]
#[case("x/3")]
#[case("1/x")]
#[case("3")]
#[case("0/0")]
#[case("-1/3")]
#[case("1/3/3")]
#[case("")]
fn what_is_no_shard_is_told_what_is(#[case] text: &str) {
    let error = text.parse::<Shard>().unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "`{text}` is not a shard: write which one of how many"
        )),
        "{error}"
    );
}

#[rstest]
#[case::the_longest_first(&[1.0, 9.0, 5.0, 4.0], 2, &["s1,s0", "s2,s3"])]
#[case::equal_ones_by_name(&[2.0, 2.0, 2.0, 2.0], 2, &["s0,s2", "s1,s3"])]
#[case::one_alone(&[1.0, 2.0], 1, &["s0,s1"])]
#[case::more_shards_than_cases(&[2.0, 1.0], 3, &["s0", "s1", ""])]
fn cases_are_divided_by_their_records(
    #[case] seconds: &[f64],
    #[case] count: u16,
    #[case] expected: &[&str],
) {
    let found = shards(
        &plan(TargetKind::Kind, seconds.len(), PAIR),
        count,
        &durations(seconds),
    );
    for (found, expected) in found.iter().zip(expected) {
        let expected: BTreeSet<&str> = expected
            .split(',')
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(
            names(found).into_iter().collect::<BTreeSet<_>>(),
            expected,
            "{found:?}"
        );
    }
}

/// Other machines, and other releases of the harness, must come to the same.
#[test]
fn what_has_no_record_goes_where_its_name_says() {
    let found = shards(&plan(TargetKind::Kind, 8, PAIR), 3, &Durations::default());
    let found: Vec<String> = found.iter().map(|ids| names(ids).join(",")).collect();
    assert_eq!(found, ["s4,s5,s7", "s1,s6", "s0,s2,s3"]);
}

#[test]
fn a_release_of_the_target_control_plane_stays_whole() {
    let found = shards(
        &plan(TargetKind::Envtest, 3, RELEASES),
        2,
        &Durations::default(),
    );
    let releases = |ids: &[String]| {
        let releases: BTreeSet<_> = ids
            .iter()
            .map(|id| id.split("::").nth(1).unwrap().to_owned())
            .collect();
        releases.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(releases(&found[0]), "1.0.0 1.2.2 1.6.2");
    assert_eq!(releases(&found[1]), "1.1.1 1.3.2");
    assert_eq!(found[0].len(), 9);
    assert_eq!(found[1].len(), 6);
}

#[test]
fn what_is_expected_of_a_shard_counts_a_release_once() {
    let division = Division {
        shard: Shard { index: 1, count: 2 },
        durations: durations(&[1.5, 2.0]),
    };
    let mut cases = plan(TargetKind::Kind, 3, PAIR);
    assert_eq!(division.expected(&cases), (Duration::from_millis(3500), 1));
    cases.extend(plan(TargetKind::Envtest, 4, PAIR));
    assert_eq!(division.expected(&cases), (Duration::from_secs(11), 1));
}

proptest! {
    #[test]
    fn shards_are_disjoint_and_complete(
        seconds in prop::collection::vec(0.0..100.0_f64, 0..20),
        unknown in 0..20_usize,
        releases in 0..5_usize,
        count in 1..9_u16,
    ) {
        let mut cases = plan(TargetKind::Kind, seconds.len() + unknown, PAIR);
        cases.extend(plan(TargetKind::Envtest, 3, &RELEASES[..releases]));
        let mut found = shards(&cases, count, &durations(&seconds)).concat();
        let mut all: Vec<String> = cases.iter().map(TestCase::id).collect();
        found.sort();
        all.sort();
        prop_assert_eq!(found, all);
    }

    /// New scenarios have no record yet.
    #[test]
    fn scenarios_that_are_added_move_nothing(
        seconds in prop::collection::vec(0.0..100.0_f64, 0..20),
        unknown in 0..20_usize,
        added in 1..20_usize,
        count in 1..9_u16,
    ) {
        let durations = durations(&seconds);
        let of = |more: usize| {
            let mut cases = plan(TargetKind::Kind, seconds.len() + unknown + more, PAIR);
            cases.extend(plan(TargetKind::Envtest, 1 + more, RELEASES));
            shards(&cases, count, &durations)
        };
        for (before, after) in of(0).into_iter().zip(of(added)) {
            prop_assert!(before.iter().all(|id| after.contains(id)), "{:?} became {:?}", before, after);
        }
    }

    #[test]
    fn no_shard_has_more_than_its_share_by_more_than_a_case(
        seconds in prop::collection::vec(0.1..100.0_f64, 1..40),
        count in 1..9_u16,
    ) {
        let durations = durations(&seconds);
        let cases = plan(TargetKind::Kind, seconds.len(), PAIR);
        let time = |ids: &[String]| ids.iter().filter_map(|id| durations.of(id)).sum::<Duration>();
        let all: Vec<String> = cases.iter().map(TestCase::id).collect();
        let longest = all.iter().filter_map(|id| durations.of(id)).max().unwrap();
        let limit = time(&all) / u32::from(count) + longest;
        for shard in shards(&cases, count, &durations) {
            prop_assert!(time(&shard) <= limit, "{:?} takes {:?}, limit {:?}", shard, time(&shard), limit);
        }
    }
}
