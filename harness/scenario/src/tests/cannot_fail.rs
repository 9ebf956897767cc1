//! Checks that every cluster passes, and others that none can.

use rstest::rstest;

use super::{CLUSTER, GOOD, folder, lines};
use crate::{json_schema, load};

/// What is wrong with the good scenario once a text is replaced; nothing where it is loaded.
fn found(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "nothing to replace");
    let text = GOOD.replacen(from, to, 1);
    let (_root, folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    load(&folder)
        .err()
        .map_or_else(Vec::new, |errors| lines(errors.diagnostics()))
}

const RAY: &str = "- ray: {nodes: 1}";
const MUST: &str = "must: /a <pod-ip>:[0-9]+/";
const NOT: &str = "not: Traceback";

#[rstest]
#[case::refusal_without_a_reason("message: \"no\"", "message: \"\"", "`message` is empty")]
#[case::refusal_with_a_space("message: \"no\"", "message: \" \"", "`message` is empty")]
#[case::event_without_a_reason("reason: BackOff", "reason: \"\"", "`reason` is empty")]
#[case::event_with_any_message(
    "reason: BackOff",
    "reason: BackOff, message: \"\"",
    "`message` is empty"
)]
#[case::any_dictionary(
    "{CPU: 1, memory: 2Gi, object_store_memory: present}",
    "{}",
    "`resources` is empty"
)]
#[case::any_resources_of_ray(RAY, "- ray: {nodes: 1, resources: {}}", "`resources` is empty")]
#[case::everything(MUST, "must: /.*/", "`/.*/` matches any line")]
#[case::anything(MUST, "must: /./", "`/./` matches any line")]
#[case::anything_from_start_to_end(MUST, "must: /^.+$/", "`/^.+$/` matches any line")]
#[case::nothing_maybe(MUST, "must: /x?/", "`/x?/` matches any line")]
#[case::start(MUST, "must: /^/", "`/^/` matches any line")]
#[case::lines_that_need_not_come(
    "must: /a <pod-ip>:[0-9]+/\n          - resources: {CPU: 1, memory: 2Gi, object_store_memory: present}\n          - not: Traceback",
    "may: ready",
    "this check passes on any log"
)]
#[case::an_empty_choice(MUST, "must: /(ready|)/", "`/(ready|)/` matches any line")]
#[case::a_word(MUST, "must: '/\\w/'", "matches any line")]
#[case::not_a_space(MUST, "must: '/\\S/'", "matches any line")]
#[case::two_characters(MUST, "must: /../", "matches any line")]
#[case::some_characters(MUST, "must: '/.{2,}/'", "matches any line")]
#[case::many_characters(MUST, "must: '/^.{10,}$/'", "matches any line")]
#[case::a_word_and_a_space(MUST, "must: '/\\w+ /'", "matches any line")]
#[case::letters(MUST, "must: '/[a-zA-Z]+/'", "matches every line of Ray")]
#[case::two_words(MUST, "must: '/[a-z]+ [a-z]+/'", "matches every line of Ray")]
#[case::a_colon(MUST, "must: '/:/'", "matches every line of Ray")]
#[case::two_marks(MUST, "must: '/--/'", "matches every line of Ray")]
#[case::a_letter(MUST, "must: e", "is in every line of Ray")]
#[case::a_date(MUST, "must: '/^[0-9-]+ /'", "matches every line of Ray")]
#[case::ready_before_it_runs(
    RAY,
    "- reached: {first: running, then: ready}",
    "no Pod is `ready` before it is `running`"
)]
#[case::ray_before_it_runs(
    RAY,
    "- reached: {first: running, then: rayReady}",
    "no Pod is `rayReady` before it is `running`"
)]
#[case::event_of_every_pod(
    "reason: BackOff",
    "reason: Scheduled",
    "every Pod that starts has the event `Scheduled`"
)]
#[case::event_of_every_container(
    "reason: BackOff",
    "reason: Started",
    "every Pod that starts has the event `Started`"
)]
#[case::white_space(MUST, "must: \" \"", "white space alone is in almost every line")]
#[case::any_line_may_come("may: waiting", "may: /.*/", "`/.*/` matches any line")]
#[case::no_line_at_all(NOT, "not: /.*/", "`/.*/` matches any line")]
#[case::two_lines(NOT, "not: \"a\\nb\"", "no line contains this")]
#[case::colour(NOT, "not: \"\\e[31mred\"", "no line contains this")]
#[case::expression_of_two_lines(NOT, "not: '/a\\nb/'", "matches no line")]
#[case::empty_class(NOT, "not: '/[a&&b]/'", "matches no line")]
#[case::start_behind_text(NOT, "not: /a^b/", "matches no line")]
#[case::text_behind_end(NOT, "not: '/(error$)s/'", "matches no line")]
#[case::never_for_a_moment("for: 10s", "for: 1ms", "nothing happens within `1ms`")]
#[case::never_for_less_than_a_second("for: 10s", "for: 999ms", "nothing happens within `999ms`")]
#[case::absent_for_a_moment(
    RAY,
    "- absent: {role: worker, for: 1ms, after: {role: head}}",
    "nothing happens within `1ms`"
)]
#[case::apart_by_a_moment(
    RAY,
    "- reached: {first: ready, then: rayReady, apart: 1ms}",
    "nothing happens within `1ms`"
)]
#[case::not_running(
    "running: true",
    "exitCode: 0, running: false",
    "`false` expects nothing here"
)]
#[case::not_ready(
    "running: true",
    "running: true, ready: false",
    "`false` expects nothing here"
)]
#[case::any_end("running: true", "reason: \"\"", "`reason` is empty")]
#[case::any_wait("running: true", "waiting: \"\"", "`waiting` is empty")]
#[case::no_job(
    "status: SUCCEEDED",
    "status: SUCCEEDED, count: 0",
    "`count` must be at least 1"
)]
#[case::no_entrypoint("entrypoint: python", "entrypoint: \"\"", "`entrypoint` is empty")]
#[case::no_group(
    "pod: {role: head,",
    "pod: {role: worker, group: \"\",",
    "`group` is empty"
)]
#[case::no_container(
    "pod: {role: head,",
    "pod: {role: head, container: \"\",",
    "`container` is empty"
)]
fn a_check_that_cannot_fail_is_refused(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let found = found(from, to);
    assert!(
        found.iter().any(|line| line.contains(expected)),
        "{found:#?}"
    );
}

#[rstest]
#[case::an_empty_line(MUST, "must: /^$/")]
#[case::one_of_two_words(MUST, "must: '/^(yes|no)$/'")]
#[case::digits(MUST, "must: '/^[0-9]+$/'")]
#[case::multi_line_flag(MUST, "must: '/(?m)^ready$/'")]
#[case::optional_line_end(NOT, "not: '/a\\n?b/'")]
#[case::a_slash(MUST, "must: /")]
#[case::start_in_a_choice(NOT, "not: '/(^|x)a/'")]
#[case::digits_of_a_port(MUST, "must: '/:[0-9]{5}$/'")]
#[case::ready_long_after_it_runs(RAY, "- reached: {first: running, then: ready, apart: 5s}")]
#[case::ready_before_ray(RAY, "- reached: {first: ready, then: rayReady}")]
#[case::start_of_a_container("reason: BackOff", "reason: Started, message: wait-gcs-ready")]
#[case::one_second("for: 10s", "for: 1s")]
#[case::no_gpu(RAY, "- ray: {nodes: 1, resources: {GPU: 0}}")]
fn a_check_that_can_fail_is_accepted(#[case] from: &str, #[case] to: &str) {
    assert_eq!(found(from, to), [""; 0]);
}

/// Fields of checks that are texts, with what their schema asks for beyond that.
#[test]
fn no_text_of_a_check_may_be_empty() {
    let schema = json_schema();
    let mut checked = 0;
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        // The lines of a log have rules of their own, and values of flags may be empty.
        if !name.ends_with("Check") && name != "PodOf" {
            continue;
        }
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            let kind = &property["type"];
            let is_text = kind == "string"
                || kind
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&"string".into()));
            if is_text {
                let bounded = ["minLength", "pattern", "enum"]
                    .iter()
                    .any(|key| !property[*key].is_null());
                assert!(bounded, "`{key}` of {name} may be empty");
                checked += 1;
            }
        }
    }
    assert!(checked > 15, "only {checked} texts were found");
}
