use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fmt, io};

use assertables::assert_ends_with;
use indicatif::{InMemoryTerm, MultiProgress, ProgressDrawTarget, TermLike};
use rstest::rstest;

use super::{Live, Plain, StatusLevel, lock, use_colour};
use crate::report::{Outcome, Progress};

fn written(plain: Plain<Vec<u8>>) -> String {
    String::from_utf8(plain.state.into_inner().unwrap().writer).unwrap()
}

#[test]
fn a_count_that_goes_on_is_printed_as_seldom_as_a_reminder() {
    let plain = Plain::new(Vec::new(), StatusLevel::Fail);
    let at = |seconds: u64| plain.start + Duration::from_secs(seconds);
    for second in 0..=60 {
        plain.update_at(
            at(second),
            "fuzz",
            &format!("{second} cases, 0 differences"),
        );
    }
    plain.update_at(at(61), "fuzz", "preparing KubeRay 1.4.2");
    plain.update_at(at(61), "fuzz", "preparing KubeRay 1.7.0");
    let state = plain.state.into_inner().unwrap();
    assert_eq!(
        String::from_utf8(state.writer).unwrap(),
        "[   0.0s] fuzz: 0 cases, 0 differences\n\
         [  30.0s] fuzz: 30 cases, 0 differences\n\
         [  60.0s] fuzz: 60 cases, 0 differences\n\
         [  61.0s] fuzz: preparing KubeRay 1.4.2\n\
         [  61.0s] fuzz: preparing KubeRay 1.7.0\n"
    );
}

#[test]
fn plain_lines_carry_the_time_and_do_not_repeat() {
    let plain = Plain::new(Vec::new(), StatusLevel::All);
    let at = |seconds| plain.start + Duration::from_secs_f64(seconds);
    plain.update_at(at(0.0), "cluster", "creating node");
    plain.update_at(at(12.34), "cluster", "creating node");
    plain.update_at(at(13.0), "cluster", "waiting for\nthe \x1b[1mAPI\x1b[0m");
    plain.update_at(at(20.0), "operator", "");
    plain.update_at(at(44.0), "cluster", "waiting for\nthe \x1b[1mAPI\x1b[0m");
    plain.finish_at(at(60.0), "cluster", Outcome::Passed, "");
    plain.finish_at(at(1060.0), "operator", Outcome::Error, "no such image");
    assert_eq!(
        written(plain),
        "[   0.0s] cluster: creating node\n\
         [  13.0s] cluster: waiting for the API\n\
         [  20.0s] operator\n\
         [  44.0s] cluster: waiting for the API\n\
         [  60.0s] cluster: PASS in 60.0s\n\
         [1060.0s] operator: ERROR in 1040.0s: no such image\n"
    );
}

#[test]
fn a_plain_line_may_come_at_any_time() {
    let plain = Plain::new(Vec::new(), StatusLevel::All);
    plain.line("warning: cgroup v1");
    assert_ends_with!(written(plain), "s] warning: cgroup v1\n");
}

/// A broken pipe must not end the work.
struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_is_gone_is_no_fault() {
    let plain = Plain::new(Broken, StatusLevel::All);
    plain.update("cluster", "creating node");
    plain.finish("cluster", Outcome::Passed, "");
}

#[rstest]
#[case::terminal(true, None, None, true)]
#[case::file(false, None, None, false)]
#[case::refused(true, Some("1"), None, false)]
#[case::empty_is_not_set(true, Some(""), None, true)]
#[case::dumb(true, None, Some("dumb"), false)]
fn colours(
    #[case] terminal: bool,
    #[case] no_color: Option<&str>,
    #[case] term: Option<&str>,
    #[case] expected: bool,
) {
    let env = |name: &str| match name {
        "NO_COLOR" => no_color.map(str::to_owned),
        "TERM" => term.map(str::to_owned),
        _ => None,
    };
    assert_eq!(use_colour(terminal, &env), expected);
}

/// A terminal that keeps what is written to it.
#[derive(Clone, Default)]
struct Screen(std::sync::Arc<Mutex<String>>);

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        100
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        lock(&self.0).push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_live_task_is_shown_and_leaves_a_line() {
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    let live = Live::new(
        MultiProgress::with_draw_target(target),
        false,
        StatusLevel::Pass,
    );
    live.update("cluster", "creating node");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !lock(&screen.0).contains("cluster: creating node") {
        assert!(Instant::now() < deadline, "the live line is not drawn");
        std::thread::yield_now();
    }
    live.finish("cluster", Outcome::Passed, "reused");
    assert!(lock(&live.state).tasks.is_empty());
    let text = lock(&screen.0).clone();
    assert!(text.contains("s  cluster: reused"), "{text:?}");
    assert!(text.contains("PASS "), "{text:?}");
}

#[test]
fn a_line_of_progress_has_no_effect_on_the_terminal_and_begins_no_other_line() {
    let plain = Plain::new(Vec::new(), StatusLevel::All);
    plain.line("warning: a\u{1b}]0;title\u{7}b\u{1b}c\u{202e}\u{a0}\n::error::x\rdone");
    let text = written(plain);
    let expected = "s] warning: ab\\u{1b}c\\u{202e}\\u{a0}\n  | ::error::x\\rdone\n";
    assert!(text.ends_with(expected), "{text:?}");
}

/// Two cases, of which one passes and one fails after it waited for long.
fn two_cases(level: StatusLevel) -> String {
    let plain = Plain::new(Vec::new(), level);
    let at = |seconds| plain.start + Duration::from_secs(seconds);
    plain.update_at(at(0), "cluster", "creating node");
    plain.cases(&["envtest::1.6.2::a".into(), "envtest::1.6.2::b".into()]);
    plain.update_at(at(1), "envtest::1.6.2::a", "0/1 checks");
    plain.update_at(at(1), "envtest::1.6.2::b", "0/2 checks");
    plain.finish_at(at(3), "envtest::1.6.2::a", Outcome::Passed, "");
    plain.update_at(at(20), "envtest::1.6.2::b", "1/2 checks; x");
    plain.update_at(at(40), "envtest::1.6.2::b", "1/2 checks; y");
    plain.finish_at(at(50), "envtest::1.6.2::b", Outcome::Failed, "args differs");
    plain.finish_at(at(60), "cluster", Outcome::Passed, "");
    written(plain)
}

const CLUSTER: &str = "[   0.0s] cluster: creating node\n";
const CLUSTER_ENDS: &str = "[  60.0s] cluster: PASS in 60.0s\n";
const REMINDER: &str = "[  40.0s] b: 1/2 checks; y\n";
const PASSES: &str = "[   3.0s] PASS  1/2 a in 2.0s\n";
const FAILS: &str = "[  50.0s] FAIL  2/2 b in 49.0s: args differs\n";

#[rstest]
#[case(StatusLevel::Quiet, &[])]
#[case(StatusLevel::None, &[CLUSTER, REMINDER, CLUSTER_ENDS])]
#[case(StatusLevel::Fail, &[CLUSTER, REMINDER, FAILS, CLUSTER_ENDS])]
#[case(StatusLevel::Pass, &[CLUSTER, PASSES, REMINDER, FAILS, CLUSTER_ENDS])]
fn each_level_prints_its_results_once(#[case] level: StatusLevel, #[case] lines: &[&str]) {
    assert_eq!(two_cases(level), lines.concat());
}

#[test]
fn the_highest_level_prints_what_cases_wait_for() {
    let text = two_cases(StatusLevel::All);
    assert!(text.contains("] b: 0/2 checks\n"), "{text}");
    assert!(text.contains("] b: 1/2 checks; x\n"), "{text}");
}

#[test]
fn a_terminal_shows_a_total() {
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    let live = Live::new(
        MultiProgress::with_draw_target(target),
        false,
        StatusLevel::Fail,
    );
    live.cases(&["envtest::1.6.2::a".into(), "envtest::1.6.2::b".into()]);
    live.update("envtest::1.6.2::a", "0/1 checks");
    live.update("envtest::1.6.2::b", "0/1 checks");
    live.finish("envtest::1.6.2::a", Outcome::Passed, "");
    live.finish("envtest::1.6.2::b", Outcome::Failed, "args differs");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !lock(&screen.0).contains("2/2 done, 1 FAIL, 0 running") {
        assert!(Instant::now() < deadline, "{:?}", lock(&screen.0));
        std::thread::yield_now();
    }
    let text = lock(&screen.0).clone();
    assert!(text.contains("FAIL "), "{text:?}");
    assert!(text.contains("b: args differs"), "{text:?}");
    assert!(!text.contains("PASS"), "{text:?}");
}

#[test]
fn sixty_columns_are_enough() {
    const COLUMNS: u16 = 60;
    let screen = InMemoryTerm::new(24, COLUMNS);
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    let live = Live::new(
        MultiProgress::with_draw_target(target),
        false,
        StatusLevel::Pass,
    );
    let id = |release: &str, scenario: &str| format!("kind::{release}::2.52.0::{scenario}");
    let cases = [
        id("1.5.1", "command-and-args-joined"),
        id("1.6.2", "command-and-args-joined"),
        id("1.6.2", "existing-pods-keep-their-command"),
    ];
    live.cases(&cases);
    for case in &cases {
        live.update(
            case,
            "3/5 checks; the log of the head has no line with `Ray runtime started` yet",
        );
    }
    live.finish(&cases[0], Outcome::Passed, "");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !screen.contents().contains("1/3 done, 2 running") {
        assert!(Instant::now() < deadline, "{}", screen.contents());
        std::thread::yield_now();
    }
    let text = screen.contents();
    let lines: Vec<&str> = text.lines().collect();
    // The result, a line for each running case, the total: nothing goes on in a second line.
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("PASS "), "{text}");
    assert!(
        lines[0].ends_with("1.5.1 command-and-args-joined"),
        "{text}"
    );
    assert!(
        lines[1].contains("1.6.2 command-and-args-joined: 3/5 checks"),
        "{text}"
    );
    assert!(
        lines[2].contains("1.6.2 existing-pods-keep-their-command: 3/5"),
        "{text}"
    );
    assert!(lines[3].contains("1/3 done"), "{text}");
}
