//! What `-h` and `--help` print.

use clap::CommandFactory as _;

use super::Arguments;

/// Most lines of `-h`, so that it fits on a screen.
const SHORT: usize = 25;
/// Commands that `-h` does not list although people use them: those for the documentation.
const OF_DOCUMENTATION: [&str; 2] = ["docs", "schema"];

/// The help of every command that people use: its name, what `-h` prints, and what `--help` prints.
fn helps() -> Vec<(String, String, String)> {
    fn collect(command: &mut clap::Command, into: &mut Vec<(String, String, String)>) {
        let name = command
            .get_bin_name()
            .unwrap_or(command.get_name())
            .to_owned();
        let (short, long) = (
            command.render_help().to_string(),
            command.render_long_help().to_string(),
        );
        into.push((name, short, long));
        for sub in command
            .get_subcommands_mut()
            .filter(|sub| !sub.is_hide_set() || OF_DOCUMENTATION.contains(&sub.get_name()))
            .filter(|sub| sub.get_name() != "help")
        {
            collect(sub, into);
        }
    }
    let mut command = Arguments::command().term_width(100);
    command.build();
    let mut all = Vec::new();
    collect(&mut command, &mut all);
    all
}

#[test]
fn short_help_fits_on_a_screen() {
    for (name, short, _) in helps() {
        let lines = short.lines().count();
        assert!(
            lines <= SHORT,
            "{name} -h has {lines} lines, at most {SHORT} are allowed:\n{short}"
        );
    }
}

#[test]
fn help_of_every_command_is_as_committed() {
    let all = helps();
    assert!(all.len() > 15, "{} commands", all.len());
    for (name, short, long) in all {
        let file = name
            .replace(' ', "-")
            .replace("kuberay-conformance", "help");
        insta::assert_snapshot!(
            file,
            format!("$ {name} -h\n{short}\n$ {name} --help\n{long}")
        );
    }
}

#[test]
fn every_option_is_explained_in_one_line_of_short_help() {
    fn check(command: &clap::Command, name: &str) {
        for argument in command
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
        {
            let help = argument
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                !help.is_empty(),
                "{name}: {} has no help",
                argument.get_id()
            );
            assert!(
                help.chars().count() <= 90,
                "{name}: the help of {} is too long for a line: {help}",
                argument.get_id()
            );
            assert!(
                !help.contains('\n'),
                "{name}: the help of {} is too long for a line: {help}",
                argument.get_id()
            );
        }
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            check(sub, &format!("{name} {}", sub.get_name()));
        }
    }
    let command = Arguments::command();
    check(&command, "kuberay-conformance");
}

#[test]
fn every_command_that_gets_artifacts_reads_the_mirrors() {
    fn collect(command: &clap::Command, into: &mut Vec<(String, bool)>) {
        let has = |name| {
            command
                .get_arguments()
                .any(|one| one.get_long() == Some(name))
        };
        if has("artifacts") {
            into.push((command.get_name().to_owned(), has("mirror")));
        }
        for sub in command.get_subcommands() {
            collect(sub, into);
        }
    }
    let mut command = Arguments::command();
    command.build();
    let mut found = Vec::new();
    collect(&command, &mut found);
    assert!(found.len() >= 7, "{found:?}");
    assert!(found.iter().all(|(_, mirrors)| *mirrors), "{found:?}");
}
