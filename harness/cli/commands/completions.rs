//! Completions of shells and man pages, made of the grammar of the command line.

use std::path::Path;

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::console;
use crate::exit::{CliError, PASSED};
use crate::report;

const NAME: &str = "kuberay-conformance";

/// Prints the completions of a shell.
pub(super) fn print(shell: clap_complete::Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut text);
    console::text(&String::from_utf8_lossy(&text));
    PASSED
}

/// Writes `kuberay-conformance.1` and a page of each command into a folder.
pub(super) fn man(folder: &Path) -> Result<u8, CliError> {
    let mut grammar = Arguments::command();
    grammar.build();
    page(&grammar, folder).map_err(|error| {
        CliError::Environment(format!(
            "failed to write man pages into {}: {error}",
            folder.display()
        ))
    })?;
    print_lines!("wrote {}", folder.display());
    Ok(PASSED)
}

/// Writes the page of a command and those of its commands. A link in the place of a page is
/// replaced: what it leads to belongs to somebody else.
fn page(command: &clap::Command, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render(&mut text)?;
    report::write_in_folder(&folder.join(man.get_filename()), &String::from_utf8(text)?)?;
    for inner in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        page(inner, folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::ENVIRONMENT;

    #[test]
    fn each_command_has_a_man_page() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("man1");
        assert_eq!(man(&folder).unwrap(), PASSED);
        let grammar = Arguments::command();
        let commands = grammar.get_subcommands().filter(|one| !one.is_hide_set());
        for command in commands {
            let page = folder.join(format!("{NAME}-{}.1", command.get_name()));
            let text = std::fs::read_to_string(&page).unwrap();
            assert!(text.contains(".SH NAME"), "{}", page.display());
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_page_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (folder, other) = (root.path().join("man1"), root.path().join("other"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, folder.join(format!("{NAME}.1"))).unwrap();
        man(&folder).unwrap();
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = man(&file).unwrap_err();
        assert_eq!(error.exit_code(), ENVIRONMENT);
        assert!(error.to_string().contains("file"), "{error}");
    }
}
