use assertables::assert_gt;
use rstest::rstest;

use super::*;

const GENERATED: &str = " && ulimit -n 65536; ray start --head  --block  --resources='{\"a\": 1}' ";

fn judged(text: &str) -> Verdict {
    let user = format!(" {text} ");
    judge(
        &format!("{user}{GENERATED}"),
        user.len(),
        Surroundings::default(),
    )
}

fn broken(text: &str) -> Broken {
    match judged(text) {
        Verdict::Broken(broken) => broken,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn analysed(text: &str) -> Analysis {
    match judged(text) {
        Verdict::Runs(analysis) => *analysis,
        other => panic!("{text:?}: {other:?}"),
    }
}

#[rstest]
#[case("a &", Cause::Ampersand, "near unexpected token `&&'", 3)]
#[case("a;", Cause::Semicolon, "near unexpected token `&&'", 2)]
#[case("a\n", Cause::Newline, "near unexpected token `&&'", 2)]
#[case("a &&", Cause::Operator("&&".into()), "near unexpected token `&&'", 3)]
#[case("a ||", Cause::Operator("||".into()), "near unexpected token `&&'", 3)]
#[case("a |", Cause::Operator("|".into()), "near unexpected token `&&'", 3)]
#[case("", Cause::Empty, "near unexpected token `&&'", 0)]
#[case("a # b", Cause::Comment, "", 3)]
#[case("echo 'a", Cause::Quote("'".into()), "", 6)]
#[case("echo \"a", Cause::Quote("\"".into()), "looking for matching `\"'", 6)]
#[case("echo $(a", Cause::Quote("$(".into()), "looking for matching `)'", 6)]
#[case("echo ${a", Cause::Quote("${".into()), "looking for matching `}'", 6)]
#[case("if a; then b", Cause::Unfinished("if".into()), "unexpected end of file", 1)]
#[case("b; while a; do b", Cause::Unfinished("while".into()), "unexpected end of file", 4)]
#[case("case x in x) b", Cause::Unfinished("case".into()), "unexpected end of file", 1)]
#[case("{ a; b", Cause::Unfinished("{".into()), "unexpected end of file", 1)]
#[case("(a", Cause::Unfinished("(".into()), "unexpected end of file", 1)]
#[case("cat <<EOF\nb\nEOF", Cause::HereDocument("EOF".into()), "", 5)]
#[case("cat <<'EOF'\nif (\nEOF", Cause::HereDocument("EOF".into()), "", 5)]
#[case("a; fi", Cause::Other, "near unexpected token `fi'", 4)]
#[case("a )", Cause::Other, "near unexpected token `)'", 3)]
#[case("echo <(a) B=(b)", Cause::Other, "near unexpected token `('", 13)]
#[case("echo a (b)", Cause::Other, "near unexpected token `('", 8)]
#[case("a;;b", Cause::Other, "near unexpected token `;;'", 2)]
#[case("echo $(if)", Cause::Unfinished("if".into()), "near unexpected token `)'", 8)]
#[case(
    "cat<< <'END'\nb\nEND\n:",
    Cause::Other,
    "near unexpected token `<'",
    7
)]
#[case(
    "cat<< <<'END'\nb\nEND\n:",
    Cause::Other,
    "near unexpected token `<<'",
    7
)]
#[case("{ a; } b", Cause::Other, "near unexpected token `b'", 8)]
fn texts_that_bash_refuses(
    #[case] text: &str,
    #[case] cause: Cause,
    #[case] wording: &str,
    #[case] at: usize,
) {
    let broken = broken(text);
    assert_eq!(broken.cause, cause);
    assert!(broken.wording.ends_with(wording), "{}", broken.wording);
    assert_eq!(broken.at, at, "{text:?}");
}

#[rstest]
#[case("a")]
#[case("(a &)")]
#[case("{ a; }")]
#[case("echo 'a &'")]
#[case("echo a\\&")]
#[case("# a\necho b")]
#[case("echo ${a#b} a#b")]
#[case("cat <<EOF\nexit 1\nEOF\necho b")]
#[case("cat <<EOF")]
#[case("f() { exit 1; }")]
#[case("f() { return 1; }; f")]
#[case("(exit 3)")]
#[case("echo 'x; exit'")]
#[case("exec 2>&1")]
#[case("return 1")]
#[case("break")]
#[case("a || exit 1 && true || b")]
#[case("exec \"$@\"")]
#[case("(case x in b|c) b;; esac | true)")]
#[case("B=('a; exit' b) !")]
#[case("((A=>2>1))")]
#[case("while [ 1 = 2 ]; do :; done")]
#[case("[[ a =~ ^(a| ;b)$ ]]; [[ a =~ (a|b) ]]")]
#[case("for i in a b; do echo $i; done")]
#[case("case a in b) exit;; esac")]
#[case("while false; do exit; done")]
#[case("true || exit 1")]
#[case("(sleep infinity &)")]
#[case("sleep infinity & true")]
#[case("exit() { true; }; exit")]
#[case("A=$(exit 3)")]
#[case("exit 1 | cat")]
#[case("a <(exit 1) > >(b)")]
#[case("case a in a) b;& c) d;; esac")]
#[case("(case x in x) a;; esac)")]
#[case("perl -ne 'print if $_ =~ /x/' log; echo ${HOME}")]
#[case("# a =~ b\necho ${HOME}")]
#[case("set -o [ -n x ]")]
fn texts_that_always_reach_ray_start(#[case] text: &str) {
    let analysis = analysed(text);
    if text.contains("|| exit 1 &&") {
        assert_eq!(analysis.reach, Reach::Some, "{text}");
        assert!(analysis.ends.is_empty(), "{text}: {:?}", analysis.ends);
    } else {
        assert_eq!(analysis.reach, Reach::Every, "{text}: {analysis:?}");
    }
    assert!(analysis.hangs.is_empty());
}

#[rstest]
#[case("exit 3", Reach::None, "exit 3")]
#[case("a; exec b", Reach::None, "exec b")]
#[case("A=1 exec b", Reach::None, "exec b")]
#[case("{ exit 1; }", Reach::None, "exit 1")]
#[case("f() { exit 1; }; f", Reach::None, "exit 1")]
#[case("function f { exit 1\n}; f", Reach::None, "exit 1")]
#[case("true && exit", Reach::None, "exit")]
#[case("false || exit 2", Reach::None, "exit 2")]
#[case("eval 'exit 2'", Reach::None, "exit 2")]
#[case("command exit 2", Reach::None, "exit 2")]
#[case("for i in a; do exit; done", Reach::None, "exit")]
#[case("if a; then exit 0; fi", Reach::Some, "exit 0")]
#[case("if a; then echo b; exit; fi", Reach::Some, "exit")]
#[case("case $a in b) exit 0;; esac", Reach::Some, "exit 0")]
#[case("a && exit 0", Reach::Some, "exit 0")]
#[case("while a; do exit 4; done", Reach::Some, "exit 4")]
#[case("set -n", Reach::None, "set -n")]
#[case("return 1 2", Reach::None, "return 1 2")]
#[case("exit $((1<<2))", Reach::Some, "exit $((1<<2))")]
#[case("exit `f # x`", Reach::None, "exit `f # x`")]
#[case("exec kill $$", Reach::None, "exec kill $$")]
#[case("echo ${b.$((1<<2))}", Reach::None, "${b.$((1<<2))}")]
fn texts_that_end_the_shell(#[case] text: &str, #[case] reach: Reach, #[case] what: &str) {
    let analysis = analysed(text);
    assert_eq!(analysis.reach, reach);
    let ends: Vec<&str> = analysis
        .ends
        .iter()
        .map(|stop| stop.what.as_str())
        .collect();
    assert_eq!(ends, [what]);
}

#[rstest]
#[case("prepare || exit 1")]
#[case("if ! prepare; then echo failed >&2; exit 1; fi")]
#[case("if [ -z \"$TOKEN\" ]; then echo none; exit $STATUS; fi")]
#[case("[ -z \"$TOKEN\" ] && exit 1")]
#[case("case $(uname -m) in x86_64) ;; *) exit 1;; esac")]
#[case("die() { echo \"$1\"; exit 1; }; if a; then die b; fi")]
#[case("if a; then b; elif c; then exit 3; fi")]
fn checks_that_are_meant_to_end_the_container(#[case] text: &str) {
    let analysis = analysed(text);
    assert_eq!(analysis.reach, Reach::Some, "{text}");
    assert!(analysis.ends.is_empty(), "{text}: {:?}", analysis.ends);
}

#[test]
fn a_check_without_another_path_ends_the_shell() {
    let analysis = analysed("if a; then exit 1; else exit 2; fi");
    assert_eq!(analysis.reach, Reach::None);
    let ends: Vec<&str> = analysis
        .ends
        .iter()
        .map(|stop| stop.what.as_str())
        .collect();
    assert_eq!(ends, ["exit 1", "exit 2"]);
}

#[rstest]
#[case("( (sleep infinity))", "sleep infinity")]
#[case("sleep 365d", "sleep 365d")]
#[case("while sleep 30; do a; done", "while sleep 30; do a; done")]
#[case("while [ 1 -eq 1 ]; do a; done", "while [ 1 -eq 1 ]; do a; done")]
#[case("sh -c 'exec sleep infinity'", "exec sleep infinity")]
#[case("tail -F /log | grep b", "tail -F /log")]
#[case("cat <<< \"$(sleep infinity)\"", "sleep infinity")]
#[case("python -m http.server 8000", "python -m http.server 8000")]
#[case("jupyter lab --port 8888", "jupyter lab --port 8888")]
#[case("nohup vllm serve m", "nohup vllm serve m")]
#[case("sleep infinity", "sleep infinity")]
#[case("a && sleep inf", "sleep inf")]
#[case("tail -f /dev/null", "tail -f /dev/null")]
#[case("tail -n 5 --follow x", "tail -n 5 --follow x")]
#[case("while true; do a; done", "while true; do a; done")]
#[case("while :; do a; done", "while :; do a; done")]
#[case("until false; do a; done", "until false; do a; done")]
#[case("for ((;;)); do a; done", "for ((;;)); do a; done")]
#[case(
    "while true; do false && break; done",
    "while true; do false && break; done"
)]
#[case("sleep infinity & wait", "wait")]
#[case("env A=1 nohup sleep infinity", "env A=1 nohup sleep infinity")]
#[case("bash -c 'sleep infinity'", "sleep infinity")]
#[case("(sleep infinity)", "sleep infinity")]
#[case("$(sleep infinity)", "sleep infinity")]
#[case("sleep infinity | echo", "sleep infinity")]
#[case("{ echo a; sleep infinity; } | cat", "sleep infinity")]
#[case("tail -f x | tee y", "tail -f x")]
#[case("nvidia-smi -l 5", "nvidia-smi -l 5")]
#[case(
    "nvidia-smi --query-gpu=name --format=csv --loop=5 > log",
    "nvidia-smi --query-gpu=name --format=csv --loop=5"
)]
#[case("/usr/bin/nvidia-smi dmon", "/usr/bin/nvidia-smi dmon")]
#[case("watch --interval 5 date", "watch --interval 5 date")]
#[case("top -b > log", "top -b")]
#[case("ssh -i key -N -L 80:a:80 host", "ssh -i key -N -L 80:a:80 host")]
#[case("autossh -M 0 -NT host", "autossh -M 0 -NT host")]
#[case(
    "socat TCP-LISTEN:80,fork,reuseaddr TCP:a:80",
    "socat TCP-LISTEN:80,fork,reuseaddr TCP:a:80"
)]
#[case("vmstat 5 | tee log", "vmstat 5")]
#[case("tcpdump -i eth0 -w log", "tcpdump -i eth0 -w log")]
#[case("kubectl get pods -w", "kubectl get pods -w")]
#[case("prometheus --config.file=a", "prometheus --config.file=a")]
#[case("nice -n 10 sleep infinity", "nice -n 10 sleep infinity")]
#[case("stdbuf -o L tail -f log", "stdbuf -o L tail -f log")]
fn texts_that_never_return(#[case] text: &str, #[case] what: &str) {
    let analysis = analysed(text);
    let hangs: Vec<&str> = analysis
        .hangs
        .iter()
        .map(|stop| stop.what.as_str())
        .collect();
    assert_eq!(hangs, [what]);
}

#[rstest]
#[case("sleep 3600")]
#[case("python train.py")]
#[case("gunicorn --daemon app")]
#[case("jupyter lab --version")]
#[case("kubectl logs pod")]
#[case("sleep 5")]
#[case("while ! ready; do sleep 1; done")]
#[case("while true; do ready && break; sleep 1; done")]
#[case("until ready; do sleep 1; done")]
#[case("yes | head -1")]
#[case("tail -f x | head -1")]
// The writer ends if the reader ends first.
#[case("{ echo a; sleep infinity; } | true")]
#[case("f() { echo a; sleep infinity; }; f | echo `echo b`")]
#[case("tail -n 5 x")]
#[case("tail --retry x")]
#[case("nvidia-smi")]
#[case("nvidia-smi -L")]
#[case("nvidia-smi --list-gpus")]
#[case("nvidia-smi dmon -c 1")]
#[case("nvidia-smi -l 5 | head -1")]
#[case("watch --version")]
#[case("watch -g date")]
#[case("top -bn1")]
#[case("top -b -n 1")]
#[case("ssh -f -N host")]
#[case("ssh -o NumberOfPasswordPrompts=1 host run")]
#[case("socat - TCP:a:80")]
#[case("vmstat 5 3")]
#[case("vmstat")]
#[case("tcpdump -c 5")]
#[case("kubectl get pods")]
#[case("prometheus --version")]
#[case("nice -n 10 a")]
#[case("for ((i=0; i<3; i++)); do a; done")]
// Which jobs there are depends on the path.
#[case("if a; then sleep infinity & fi; wait")]
fn texts_that_return(#[case] text: &str) {
    assert!(analysed(text).hangs.is_empty(), "{text}");
}

#[rstest]
#[case("a", Some("a"))]
#[case("a; b c", Some("b c"))]
#[case("a || b", Some("b"))]
#[case("a && b", Some("a && b"))]
#[case("a || b && c", Some("b && c"))]
#[case("[ -z \"$A\" ] && exit 1", Some("[ -z \"$A\" ] && exit 1"))]
#[case("a; echo b", None)]
#[case("a || true", None)]
#[case("a || exit 1", None)]
#[case("export A=1", None)]
#[case("set -e; a", Some("a"))]
fn failures_that_the_joint_hides(#[case] text: &str, #[case] what: Option<&str>) {
    let swallowed = analysed(text).swallowed;
    assert_eq!(swallowed.as_ref().map(|stop| stop.what.as_str()), what);
}

#[rstest]
#[case("set -e; a", true)]
#[case("a\nset -euo pipefail", true)]
#[case("set -o errexit && a", true)]
#[case("set -u -e; a", true)]
#[case("if a; then set -e; fi", true)]
#[case("set -e; a; set +e", false)]
#[case("(set -e; a)", false)]
#[case("set -u; a -e", false)]
#[case("set -- -e; a", false)]
#[case("echo set -e", false)]
fn errexit(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(analysed(text).errexit.is_some(), expected);
}

#[rstest]
#[case("conda activate a", true)]
#[case("a && module load b", true)]
#[case("source /opt/conda.sh && conda activate a", false)]
#[case("eval \"$(conda shell.bash hook)\"; conda activate a", false)]
#[case("conda run -n a b", false)]
fn login_shells(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(!analysed(text).login.is_empty(), expected);
}

#[test]
fn jobs_of_which_nothing_is_known() {
    assert!(analysed("a & wait").waits.is_some());
    assert!(analysed("a & wait 5").waits.is_none());
    assert!(analysed("a; wait").waits.is_none());
}

#[rstest]
#[case("cat <<$(b)\nc\n:", "a here-document beside an expansion")]
#[case(
    "shopt -s extglob; a !(b)",
    "a pattern on the line that switches its kind on"
)]
#[case("[[ a =~ ^(${b) ]]", "an expansion without an end")]
#[case("a \"$$(b\"", "a parenthesis after `$$`")]
#[case("cat <<'END\"'\nb\nEND\n:", "a here-document whose word holds quotes")]
fn texts_that_are_not_analysed(#[case] text: &str, #[case] construct: &str) {
    let Verdict::Unknown(unknown) = judged(text) else {
        panic!("{text}");
    };
    assert_eq!(unknown.construct, construct);
}

#[rstest]
#[case("a $B ${C:-x} '$D' \"$E\" \\$F", &["$B", "${C}", "$E"])]
#[case("$(a) `b` $((1))", &["$(…)", "`…`", "$((…))"])]
#[case("\"'$A'\" $1 $? $ a$", &["$A", "$1", "$?"])]
fn what_bash_replaces(#[case] text: &str, #[case] expected: &[&str]) {
    let found = expansions(text);
    let found: Vec<&str> = found.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(found, expected);
}

#[rstest]
// Nobody answers, or somebody may.
#[case::select("select a in b; do c; done", Reach::Some)]
#[case::select_ends("select a in b; do exit 1; done", Reach::Some)]
#[case::case_inside("A=$(case $B in c) echo d;; *) exit 1;; esac)", Reach::Every)]
#[case::comment_inside("A=$(\n# it's (\necho b)", Reach::Every)]
#[case::two_subshells("(((1)) && a)", Reach::Every)]
#[case::shift_in_the_head("for ((i = 1 << 2; i < 8; i++)); do break; done", Reach::Every)]
#[case::base("A=$((16#ff))", Reach::Some)]
#[case::nounset_of_another_round("for a in b c; do echo $D; set -u; done", Reach::Some)]
#[case::nounset_of_one_round("for a in b; do echo $D; set -u; done", Reach::Every)]
#[case::return_of_no_number("return a b", Reach::Every)]
#[case::unset_in_case("set -u; case $B in c) d;; esac", Reach::Some)]
#[case::unset_in_for("set -u; for b in $C; do d; done", Reach::Some)]
#[case::endless_in_for("for b in $(sleep infinity); do d; done", Reach::None)]
#[case::sleep_with_an_unknown_word("sleep inf $B", Reach::Some)]
#[case::no_option_of_exec("exec -r a", Reach::Every)]
#[case::document_after_arithmetic(
    "A=$(for ((;i<2;)); do break; done)\ncat <<'END'\n(\nEND\n:",
    Reach::Every
)]
fn constructs_that_the_parser_reads_in_another_way(#[case] text: &str, #[case] reach: Reach) {
    assert_eq!(analysed(text).reach, reach);
}

#[rstest]
#[case::one_part(
    "for ((i)); do a; done",
    "syntax error: arithmetic expression required"
)]
#[case::four_parts("for ((;;;)); do a; done", "syntax error: `;' unexpected")]
#[case::no_command("a b ((1))", "syntax error near unexpected token `('")]
#[case::cut("((a)\n)", "syntax error near `((a)'")]
#[case::array_in_a_function("f() { a B=(c); }", "syntax error near unexpected token `('")]
#[case::cut_words("((a b c)\n)", "syntax error near `c)'")]
#[case::cut_list("((a;b)\n)", "syntax error near `;b)'")]
#[case::cut_condition("((cd /x && ls)\n)", "syntax error near `ls)'")]
#[case::cut_lines("((a\nb)\n)", "syntax error near `b)'")]
#[case::cut_end("((a )\n)", "syntax error near `)'")]
#[case::condition(
    "[[ a =~ ^(b)> ]]",
    "syntax error in conditional expression: unexpected token `>'"
)]
#[case::words("a [[ b =~ ^(c)$ ]]", "syntax error near unexpected token `('")]
#[case::number("a <<2>&1", "syntax error near unexpected token `2'")]
#[case::coprocess(
    "coproc while a && b; done",
    "syntax error near unexpected token `done'"
)]
// Of these bash reports nothing.
#[case::head_without_end("for ((;;) a", "")]
#[case::test_without_end("[[ -n a || ]]", "")]
fn errors_in_constructs(#[case] text: &str, #[case] wording: &str) {
    let Verdict::Broken(broken) = judged(text) else {
        panic!("{text}");
    };
    assert_eq!(broken.wording, wording);
}

/// A script that a user mounts in a manifest may be long.
#[rstest]
#[case::words("true 0123456789 abcdefghij", 4_000)]
#[case::lines("echo hello world", 6_000)]
#[case::beyond_ascii("echo h\u{e4}llo $(date)", 3_000)]
fn long_texts_are_analysed(#[case] line: &str, #[case] times: usize) {
    let user = format!("{}true", format!("{line}\n").repeat(times));
    let text = format!("{user} && ulimit -n 65536; ray start --head");
    assert_gt!(text.len(), 60_000);
    let Verdict::Runs(analysis) = judge(&text, user.len(), Surroundings::default()) else {
        panic!("not analysed");
    };
    assert_eq!(analysis.reach, Reach::Every);
}

#[test]
fn a_condition_that_ends_in_an_operator_is_not_without_an_end() {
    let found = broken("a; [[ -n b || ]]; c");
    assert_eq!(found.at, 12);
    assert_eq!(found.cause, Cause::Condition("||".into()));
}

/// What a text of the greatest length costs whose every piece looks at the rest of it.
#[rstest]
#[case::expansions("a =~ b; ", "${")]
#[case::arithmetic("((", "${a} ")]
#[case::documents("", "<<a")]
#[case::words("", "cat <<a ")]
fn long_texts_are_refused_fast(#[case] begin: &str, #[case] part: &str) {
    let text = format!("{begin}{}", part.repeat(190_000 / part.len()));
    let start = std::time::Instant::now();
    std::hint::black_box((parse::open_expansion(&text), parse::replaced_tag(&text)));
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_millis(500), "{took:?}");
}
