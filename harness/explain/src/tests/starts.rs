//! Commands and parameters around `ray start`: what starts Ray for good, what never does, and what
//! does no harm.

use rstest::rstest;

use super::adversarial::{KEEP, kept, script, workers};
use super::*;

/// A head whose container and parameters are these, without the annotation.
fn head(container: &str, params: &str) -> String {
    let group = format!("rayStartParams: {{{params}}}");
    manifest(&format!("{LIMITS}\n{container}"), &group)
}

#[rstest]
#[case("ray start --address=$FQ_RAY_IP:6379", true)]
#[case("ray start --address $FQ_RAY_IP:6379", true)]
#[case("ray start --address=\"$FQ_RAY_IP:6379\"", true)]
#[case("ray start --address=$A --node-ip-address=$POD_IP", true)]
#[case("ray start --address=$A --num-gpus=$(nvidia-smi -L | wc -l)", true)]
#[case("ray start --address=$A --dashboard-port=${PORT:-8265}", true)]
#[case("ray start --address=$A --num-cpus \"$N\"", true)]
#[case("ray start --address=$A --num-cpus $N", true)]
#[case("ray start --address=$A --num-cpus \"$N\" --block", false)]
#[case("ray start --address=$A $ARGS", false)]
#[case("ray start --address=$A \"$BLOCK\"", false)]
#[case("ray start --address=$A \"${ARGS[@]}\"", false)]
#[case("ray start --address=$A --disable-usage-stats $ARGS", false)]
#[case("ray start --address=$A --$HOW", false)]
#[case("ray start --address=$A `cat args`", false)]
#[case("ray start --address=$A $(cat args)", false)]
fn variables_that_hold_no_option(#[case] text: &str, #[case] returns: bool) {
    let found = all(&workers(&[("groupName: w", &script(text))], KEEP), "1.6.2");
    let told = found.contains(&"ray-start-without-block".to_owned());
    assert_eq!(told, returns, "{text}: {found:?}");
}

#[rstest]
#[case("ray start --num-cpus \"$N\" --block", true)]
#[case("ray start --num-cpus $N --block", true)]
#[case("ray start \"$HEAD\" --block", false)]
#[case("ray start --$ROLE --block", false)]
fn variables_that_hold_no_address(#[case] text: &str, #[case] expected: bool) {
    let found = all(&workers(&[("groupName: w", &script(text))], KEEP), "1.6.2");
    let told = found.contains(&"ray-start-without-address".to_owned());
    assert_eq!(told, expected, "{text}: {found:?}");
}

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

#[rstest]
#[case::quote("echo 'it\nray start --head --block", &["syntax-error"])]
#[case::double_quote("echo \"it\nray start --head --block", &["syntax-error"])]
#[case::substitution("echo \"$(ray start --head --block", &["syntax-error"])]
#[case::generated("echo 'it\neval \"$KUBERAY_GEN_RAY_START_CMD\"", &["syntax-error"])]
#[case::document("cat <<EOF > /x\nhi\nray start --head --block", &["open-here-document"])]
#[case::document_after("ray start --head --block\ncat <<EOF\nhi", &[])]
#[case::closed("cat <<EOF > /x\nhi\nEOF\nray start --head --block", &[])]
#[case::only_printed("echo 'ray start --head --block'", &[])]
#[case::other("echo it; /start.sh", &[])]
fn own_scripts_whose_broken_part_holds_the_start(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(
        all(&kept(&script(text), false), "1.6.2"),
        expected,
        "{text}"
    );
}

#[rstest]
#[case::no_program("command: ['ray start --head --block']", &["ray-start-in-text"])]
#[case::behind_another("command: [tini, --, 'ray start --head --block']", &["ray-start-in-text"])]
#[case::first_word("command: [bash, -c, ray, start, --head, --block]", &["ray-start-in-text"])]
#[case::first_word_in_args("command: [/bin/bash, -c]\nargs: [ray, start, --head]", &["ray-start-in-text"])]
#[case::generated("command: [bash, -c, eval, '$KUBERAY_GEN_RAY_START_CMD']", &["gen-cmd-not-run"])]
#[case::parameters("command: [bash, -c, 'exec \"$@\"', x, ray, start, --head, --block]", &[])]
#[case::parameter("command: [bash, -c, '\"$0\" start --head --block', ray]", &[])]
#[case::words("command: [ray, start, --head, --block]", &[])]
#[case::of_the_image("command: [/start.sh, 'ray start --head --block']", &[])]
fn own_words_that_start_no_ray(#[case] command: &str, #[case] expected: &[&str]) {
    assert_eq!(all(&kept(command, false), "1.6.2"), expected, "{command}");
}

#[rstest]
#[case("command: [ray, start, --head, --block]", &["ray-start-in-words"])]
#[case("command: [ray, start, --head]\nargs: [--block]", &["ray-start-in-words"])]
#[case("args: ['nice ray  start --head --block']", &["ray-start-in-words"])]
#[case("args: ['ray  start --head; sleep infinity']", &["never-returns", "ray-start-in-words"])]
fn a_start_of_ray_that_does_not_return(#[case] command: &str, #[case] expected: &[&str]) {
    let mut found = all(&head(command, ""), "1.6.2");
    found.retain(|id| id != "failure-swallowed");
    assert_eq!(found, expected, "{command}");
}

#[rstest]
#[case::blank("dashboard-host: '0.0.0.0 '", &[])]
#[case::number("num-cpus: '4 '", &[])]
#[case::tab("num-cpus: \"4\\t\"", &[])]
#[case::star("dashboard-host: '*'", &[])]
#[case::brackets("dashboard-host: '[::]'", &[])]
#[case::refused("num-cpus: '4x '", &["parameter-type"])]
#[case::line("num-cpus: \"4\\n\"", &["shell-in-parameter"])]
#[case::in_front("num-cpus: ' 4'", &["shell-in-parameter"])]
#[case::between("node-name: 'a b'", &["shell-in-parameter"])]
#[case::alternatives("node-name: '{a,b}*'", &["shell-in-parameter"])]
fn values_that_bash_leaves_as_they_are(#[case] params: &str, #[case] expected: &[&str]) {
    assert_eq!(all(&head("", params), "1.6.2"), expected, "{params}");
}

#[rstest]
#[case::and("pip install x &&", "trailing-operator")]
#[case::or("pip install x ||", "trailing-operator")]
#[case::pipe("pip install x |", "trailing-operator")]
#[case::last_of_several("export A=1 &&\nexport B=2 &&", "trailing-operator")]
#[case::loop_without_end("while true; do", "syntax-error")]
#[case::group_without_end("{", "syntax-error")]
#[case::whole("pip install x", "trailing-newline")]
#[case::background("pip install x &", "trailing-newline")]
#[case::list("pip install x;", "trailing-newline")]
#[case::comment("pip install x # why", "trailing-newline")]
fn lines_in_front_of_the_joint(#[case] text: &str, #[case] expected: &str) {
    let text = format!("{text}\n");
    let found = all(&head(&format!("args: [{text:?}]"), ""), "1.6.2");
    assert_eq!(found, [expected], "{text}");
}

#[rstest]
#[case::variable("$MY_IP", "", true)]
#[case::from_elsewhere("$MY_IP", "envFrom: [{configMapRef: {name: x}}]", false)]
#[case::kubelet_from_elsewhere("$(MY_IP)", "envFrom: [{configMapRef: {name: x}}]", false)]
#[case::exported("$MY_IP", "args: ['export MY_IP=$(hostname -i) || exit 1']", false)]
#[case::assigned("$MY_IP", "args: ['MY_IP=1; export MY_IP']", false)]
#[case::read("$MY_IP", "args: ['read -r MY_IP < /ip || exit 1']", false)]
#[case::another("$MY_IP", "args: ['export OTHER_MY_IP=1']", true)]
#[case::kubelet("$(MY_IP)", "", true)]
#[case::kubelet_assigned("$(MY_IP)", "args: ['export MY_IP=1']", true)]
fn variables_of_a_parameter(#[case] value: &str, #[case] container: &str, #[case] told: bool) {
    let text = head(container, &format!("node-ip-address: '{value}'"));
    let messages = messages(&text, "1.6.2");
    let says = messages
        .iter()
        .any(|one| one.contains("gives the container no variable MY_IP"));
    assert_eq!(says, told, "{value} with {container:?}: {messages:?}");
}

#[test]
fn a_name_that_the_kubelet_does_not_know_is_run_as_a_command() {
    let messages = messages(&head("", "node-ip-address: $(POD_IP)"), "1.6.2");
    let begin = "`$(POD_IP)` in node-ip-address, and the Pod gives the container no variable \
                 POD_IP: the kubelet leaves it, and bash runs a command of this name";
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with(begin), "{}", messages[0]);
}

#[rstest]
#[case::login("logout", "1.3.2", &["ends-shell"])]
#[case::plain("logout", "1.4.2", &["failure-swallowed"])]
#[case::handled("logout || true", "1.4.2", &[])]
#[case::inner_login("bash -lc logout || true", "1.4.2", &[])]
#[case::errexit("set -e; logout; true", "1.4.2", &["errexit"])]
fn a_logout(#[case] text: &str, #[case] version: &str, #[case] expected: &[&str]) {
    let found = all(&head(&format!("args: [{text:?}]"), ""), version);
    assert_eq!(found, expected, "{text} on {version}");
}

#[rstest]
#[case("[bash, -lc]", &["ends-shell"])]
#[case("[bash, -c]", &[])]
fn a_logout_before_a_start_of_the_users_own(#[case] shell: &str, #[case] expected: &[&str]) {
    let command = format!("command: {shell}\nargs: ['logout; ray start --head --block']");
    assert_eq!(all(&kept(&command, false), "1.6.2"), expected, "{shell}");
}
