//! Makes the table of Ray's options from its wheels, which pip brings from the package index one
//! after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const HEADER: &str = "\
# Options of `ray start` and `ray job submit`, as the wheels of Ray declare them. Written by
#     cargo run -p kuberay-contract --example ray_options -- RELEASE…
# wheel: the release that was read, the file, and its sha256, which pip compares with the index.
# start, submit: the option, the first release read that has it, the first that no longer has it or
# a dash, and `flag` or the type of its value.
";

/// What one wheel declares.
pub struct Release {
    name: String,
    wheel: String,
    sha256: String,
    /// `flag` or a type, by command and option.
    options: BTreeMap<(String, String), String>,
}

/// Downloads the wheel of a release and reads it.
pub fn read(release: &str) -> Release {
    let folder = std::env::temp_dir().join(format!("ray-options-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("make a folder for the wheel");
    let read = fetched(release, &folder);
    std::fs::remove_dir_all(&folder).expect("remove the wheel");
    read
}

fn fetched(release: &str, folder: &Path) -> Release {
    let arguments = "-m pip download --quiet --no-deps --no-cache-dir --only-binary=:all: \
                     --python-version 3.10 --platform manylinux2014_x86_64";
    let status = Command::new("python3")
        .args(arguments.split_whitespace())
        .arg(format!("ray=={release}"))
        .arg("--dest")
        .arg(folder)
        .status()
        .expect("run pip");
    assert!(status.success(), "pip has no wheel of Ray {release}");
    let mut files = std::fs::read_dir(folder).expect("list the wheel");
    let wheel = files.next().expect("one wheel").expect("a file").path();
    of_wheel(release, &wheel)
}

/// Reads the wheel of a release.
pub fn of_wheel(release: &str, wheel: &Path) -> Release {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ray_options/read.py");
    let output = Command::new("python3")
        .args([&script, wheel])
        .output()
        .expect("run python3");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Ray {release}: {problem}");
    let read: Value = serde_json::from_slice(&output.stdout).expect("JSON of read.py");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut options = BTreeMap::new();
    for command in ["start", "submit"] {
        for option in read[command].as_array().expect("options") {
            for name in option["names"].as_array().expect("names") {
                let kind = match option["kind"].as_str() {
                    Some("flag") => "flag".to_owned(),
                    _ => text(&option["type"]),
                };
                options.insert((command.to_owned(), text(name)), kind);
            }
        }
    }
    Release {
        name: release.into(),
        wheel: wheel
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        sha256: text(&read["sha256"]),
        options,
    }
}

/// The table of these releases, oldest first.
pub fn table(releases: &[Release]) -> String {
    let mut text = HEADER.to_owned();
    for release in releases {
        text += &format!(
            "wheel {} {} {}\n",
            release.name, release.wheel, release.sha256
        );
    }
    let mut options: BTreeMap<&(String, String), Vec<Option<&str>>> = BTreeMap::new();
    for (number, release) in releases.iter().enumerate() {
        for (option, kind) in &release.options {
            let kinds = options.entry(option);
            kinds.or_insert_with(|| vec![None; releases.len()])[number] = Some(kind);
        }
    }
    for ((command, option), kinds) in options {
        let mut at = 0;
        for run in kinds.chunk_by(|one, next| one == next) {
            let until = releases.get(at + run.len());
            if let Some(kind) = run[0] {
                let since = &releases[at].name;
                let until = until.map_or("-", |release| &release.name);
                text += &format!("{command} {option} {since} {until} {kind}\n");
            }
            at += run.len();
        }
    }
    text
}
