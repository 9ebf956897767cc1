//! Completions of shells and man pages, made of the grammar of the command line.

use std::path::Path;

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::console;
use crate::exit::{CliError, PASSED};

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
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .map_err(|error| {
            CliError::Environment(format!(
                "failed to write man pages into {}: {error}",
                folder.display()
            ))
        })?;
    print_lines!("wrote {}", folder.display());
    Ok(PASSED)
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
    fn a_folder_that_cannot_be_written_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = man(&file).unwrap_err();
        assert_eq!(error.exit_code(), ENVIRONMENT);
        assert!(error.to_string().contains("file"), "{error}");
    }
}
