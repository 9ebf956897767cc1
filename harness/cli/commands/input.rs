//! The files that `explain` and `check` are given: files, folders and standard input.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::exit::CliError;
use crate::explain::check;
use crate::manifest::{Source, decode};
use crate::scenario::files::{read_text, whole};

/// No file is larger, in bytes.
const LARGEST: u64 = 256 << 20;

/// The argument that means standard input.
const STDIN: &str = "-";

/// What was read.
pub(super) struct Input {
    /// The files, in the order in which they were given; those of a folder by name.
    pub sources: Vec<Source>,
    /// Number of files that cannot hold an object of KubeRay's and were left out.
    pub skipped: usize,
}

/// Reads files and folders. Files of folders that do not mention KubeRay's API are left out; with
/// `only_ours` so are files that were named.
pub(super) fn read(files: &[PathBuf], only_ours: bool) -> Result<Input, CliError> {
    let mut input = Input {
        sources: Vec::new(),
        skipped: 0,
    };
    let mut seen = BTreeSet::new();
    for file in files {
        if file == Path::new(STDIN) {
            input.sources.push(standard_input()?);
            continue;
        }
        if let Some(matching) = matching(file)? {
            for file in matching {
                if file.is_dir() {
                    add_folder(&file, &mut seen, &mut input)?;
                } else if file.is_file() {
                    add(&file, Named::No, true, &mut seen, &mut input)?;
                }
            }
        } else if file.is_dir() {
            add_folder(file, &mut seen, &mut input)?;
        } else {
            add(file, Named::Yes, only_ours, &mut seen, &mut input)?;
        }
    }
    Ok(input)
}

fn add_folder(
    folder: &Path,
    seen: &mut BTreeSet<PathBuf>,
    input: &mut Input,
) -> Result<(), CliError> {
    let mut found = Vec::new();
    collect(folder, &mut found).map_err(|error| unreadable(folder, &error))?;
    if found.is_empty() {
        let message = format!("{} contains no .yaml, .yml or .json file", folder.display());
        return Err(CliError::bad_use(message)
            .with_help("name a folder with manifests, or the files themselves"));
    }
    for file in found {
        add(&file, Named::No, true, seen, input)?;
    }
    Ok(())
}

/// The files and folders that match a pattern such as `charts/**/*.yaml`, which no shell has
/// replaced; none where it is no pattern.
fn matching(pattern: &Path) -> Result<Option<Vec<PathBuf>>, CliError> {
    let Some(text) = pattern
        .to_str()
        .filter(|text| text.contains(['*', '?', '[']))
    else {
        return Ok(None);
    };
    if pattern.exists() {
        return Ok(None);
    }
    // As in a shell, `*` means no hidden file.
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let found = glob::glob_with(text, options).map_err(|error| {
        CliError::bad_use(format!("{text} is no pattern of files: {error}"))
            .with_help("`*` stands for a name, `**` for folders, `[…]` for one of some characters")
    })?;
    let found: Vec<PathBuf> = found.filter_map(Result::ok).collect();
    if found.is_empty() {
        return Err(CliError::bad_use(format!("no file matches {text}"))
            .with_help("`*` stands for a name, `**` for folders"));
    }
    Ok(Some(found))
}

/// Whether a file was named, and so may be a pipe, or was found in a folder.
#[derive(Clone, Copy)]
enum Named {
    Yes,
    No,
}

fn add(
    file: &Path,
    named: Named,
    only_ours: bool,
    seen: &mut BTreeSet<PathBuf>,
    input: &mut Input,
) -> Result<(), CliError> {
    let text = match named {
        Named::Yes => std::fs::File::open(file)
            .and_then(read_all)
            .and_then(decode),
        Named::No => read_text(file, LARGEST).map_err(Into::into),
    };
    let text = text.map_err(|error| unreadable(file, &error))?;
    if let Ok(canonical) = file.canonicalize()
        && !seen.insert(canonical)
    {
        return Ok(());
    }
    if only_ours && !check::may_hold_objects(&text) {
        input.skipped += 1;
        return Ok(());
    }
    input.sources.push(Source::new(file, &text));
    Ok(())
}

fn standard_input() -> Result<Source, CliError> {
    let text = read_all(std::io::stdin()).and_then(decode);
    let text = text.map_err(|error| unreadable(Path::new("standard input"), &error))?;
    if text.trim().is_empty() {
        let help = "see whether the program before the pipe failed";
        return Err(CliError::bad_use("standard input is empty").with_help(help));
    }
    Ok(Source::new(Path::new(STDIN), &text))
}

/// Reads what may be a pipe or a device.
fn read_all(reader: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    Ok(whole(reader, LARGEST)?)
}

fn unreadable(file: &Path, error: &std::io::Error) -> CliError {
    let message = format!("cannot read {}: {error}", file.display());
    let help = match error.kind() {
        std::io::ErrorKind::NotFound => {
            "name a file or a folder that exists, or `-` for standard input"
        }
        std::io::ErrorKind::InvalidData => "save the file as UTF-8",
        _ => return CliError::bad_use(message),
    };
    CliError::bad_use(message).with_help(help)
}

/// Collects the manifests below a folder by name. Hidden files and folders are left out, and links
/// to folders are not followed.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&path, into)?;
        } else if check::is_manifest(&path) && path.is_file() {
            into.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::BAD_USE;

    /// A folder with two manifests, one of them KubeRay's, a hidden file and a text.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("b.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\n");
        write("a.yml", "kind: ConfigMap\n");
        write(".hidden.yaml", "kind: RayCluster\n");
        write("notes.txt", "kind: RayCluster\n");
        folder
    }

    fn names(input: &Input) -> Vec<String> {
        let name = |source: &Source| source.path.file_name().unwrap().display().to_string();
        input.sources.iter().map(name).collect()
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let error = read(&[PathBuf::from("/dev/zero")], false).err().unwrap();
        assert_eq!(error.exit_code(), BAD_USE);
        assert!(
            error.to_string().contains("has more than 256 MiB"),
            "{error}"
        );
    }

    #[test]
    fn of_a_folder_the_manifests_that_can_hold_ray_objects_are_read() {
        let folder = folder();
        let input = read(&[folder.path().into()], false).unwrap();
        assert_eq!(names(&input), ["b.yaml"]);
        assert_eq!(input.skipped, 1, "a.yml mentions no API of KubeRay");
    }

    #[test]
    fn a_file_that_is_named_is_read_unless_only_ours_are_wanted() {
        let folder = folder();
        let file = folder.path().join("a.yml");
        let input = read(std::slice::from_ref(&file), false).unwrap();
        assert_eq!(names(&input), ["a.yml"]);
        let input = read(&[file], true).unwrap();
        assert_eq!(names(&input), [""; 0]);
    }

    #[test]
    fn a_file_that_is_named_twice_is_read_once() {
        let folder = folder();
        let file = folder.path().join("b.yaml");
        let input = read(&[file, folder.path().join("*.yaml")], false).unwrap();
        assert_eq!(names(&input), ["b.yaml"]);
    }

    #[test]
    fn what_names_no_file_is_bad_use_with_a_help_line() {
        let folder = folder();
        let empty = tempfile::tempdir().unwrap();
        for (argument, message) in [
            (folder.path().join("absent.yaml"), "cannot read"),
            (folder.path().join("*.json"), "no file matches"),
            (empty.path().into(), "contains no .yaml, .yml or .json file"),
        ] {
            let Err(error) = read(std::slice::from_ref(&argument), false) else {
                panic!("{} was read", argument.display())
            };
            assert_eq!(error.exit_code(), BAD_USE);
            let messages = error.messages().join("\n");
            assert!(messages.contains(message), "{messages}");
            assert!(messages.contains("\nhelp: "), "{messages}");
        }
    }
}
