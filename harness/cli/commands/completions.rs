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
