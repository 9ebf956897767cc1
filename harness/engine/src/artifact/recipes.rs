//! The recipes below `fixtures/`, which are part of the program.

use std::path::Path;
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};

use super::ArtifactKey;

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures");

/// The text of a file below `fixtures/`.
pub fn text_of(path: &str) -> Option<&'static str> {
    FIXTURES
        .get_file(path)
        .and_then(|file| file.contents_utf8())
}

/// Writes a folder below `fixtures/images` into `target`, sub-folders included.
pub(super) fn write_recipe(recipe: &str, target: &Path) -> std::io::Result<()> {
    let folder = recipe_folder(recipe);
    write_folder(folder, folder.path(), target)
}

/// The contents that the key of an artifact of this recipe depends on.
pub(super) fn recipe_contents(recipe: &str) -> Vec<(&'static Path, &'static [u8])> {
    let mut files = Vec::new();
    collect(recipe_folder(recipe), &mut files);
    files.sort();
    files
}

/// Names the pins and recipes of this program: what was used with others may not be needed any
/// more.
pub(super) fn fingerprint() -> &'static str {
    static FINGERPRINT: OnceLock<String> = OnceLock::new();
    FINGERPRINT.get_or_init(|| {
        let mut files = Vec::new();
        if let Some(images) = FIXTURES.get_dir("images") {
            collect(images, &mut files);
        }
        files.sort();
        let mut key = ArtifactKey::default().with(text_of("versions.yaml").unwrap_or_default());
        for (path, contents) in files {
            key = key.with(path.as_os_str().as_encoded_bytes()).with(contents);
        }
        key.short()
    })
}

fn recipe_folder(recipe: &str) -> &'static Dir<'static> {
    FIXTURES
        .get_dir(format!("images/{recipe}"))
        .unwrap_or_else(|| panic!("recipe {recipe} is embedded"))
}

fn collect(folder: &'static Dir<'static>, files: &mut Vec<(&'static Path, &'static [u8])>) {
    files.extend(folder.files().map(|file| (file.path(), file.contents())));
    for sub in folder.dirs() {
        collect(sub, files);
    }
}

fn write_folder(folder: &Dir<'_>, base: &Path, target: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(target)?;
    for file in folder.files() {
        let relative = file
            .path()
            .strip_prefix(base)
            .expect("a file lies below its folder");
        let path = target.join(relative);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, file.contents())?;
    }
    folder
        .dirs()
        .try_for_each(|sub| write_folder(sub, base, target))
}

#[cfg(test)]
mod tests {
    use super::super::Pins;
    use super::*;

    #[test]
    fn a_lock_names_its_release_and_a_checksum_of_every_package() {
        for (version, release) in &Pins::embedded().ray.releases {
            let lock = text_of(&format!("images/{}", release.lock)).unwrap();
            assert!(lock.contains(&format!("ray=={version} ")), "{version}");
            let packages = lock.lines().filter(|line| line.contains("=="));
            for package in packages {
                let (_, rest) = lock.split_once(package).unwrap();
                assert!(
                    rest.trim_start().starts_with("--hash=sha256:"),
                    "{version}: {package}"
                );
            }
        }
    }
}
