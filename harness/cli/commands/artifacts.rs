//! `artifacts`: what the cache holds, and what mirrors must hold.

use std::time::SystemTime;

use super::files;
use crate::args::{ArtifactList, ArtifactLock, ArtifactPrune, ListFormat, OwnTarget};
use crate::artifact::{
    ArtifactError, Inventory, MirroredTargets, Pins, Prune, Store, Stored, Supply, lock_ray,
};
use crate::console;
use crate::exit::{CliError, PASSED};
use crate::visible;

pub(super) fn list(options: &ArtifactList) -> Result<u8, CliError> {
    if !options.to_mirror {
        let stock = Store::open().and_then(|store| store.stock());
        let stock = stock.map_err(environment)?;
        console::text(&match options.format {
            ListFormat::Text => table(&stock) + &total("holds", &stock),
            ListFormat::Json => json(&stock),
        });
        return Ok(PASSED);
    }
    options.mirrors.install()?;
    let releases = files::releases(&options.releases, &options.targets.kinds())?;
    let targets = MirroredTargets {
        envtest: options.targets.0.contains(&OwnTarget::Envtest),
        kind: options.targets.0.contains(&OwnTarget::Kind),
    };
    let mut rays: Vec<_> = releases.pairs.iter().map(|pair| pair.ray.clone()).collect();
    rays.push(releases.ray);
    let inventory = Supply::of_process()
        .inventory(&releases.operators, &rays, targets)
        .map_err(CliError::bad_use)?;
    console::text(&match options.format {
        ListFormat::Text => lines(&inventory),
        ListFormat::Json => {
            visible::json(&serde_json::to_string_pretty(&inventory).unwrap_or_default()) + "\n"
        }
    });
    Ok(PASSED)
}

pub(super) fn prune(options: &ArtifactPrune) -> Result<u8, CliError> {
    let rule = Prune {
        unused_for: options.unused_for,
        dry_run: options.dry_run,
    };
    let freed = Store::open().and_then(|store| store.prune(rule));
    let freed = freed.map_err(environment)?;
    let done = if options.dry_run {
        "would free"
    } else {
        "freed"
    };
    console::text(&(table(&freed) + &total(done, &freed)));
    Ok(PASSED)
}

pub(super) fn lock(options: &ArtifactLock) -> Result<u8, CliError> {
    let (release, fixtures) = (&options.release, &options.fixtures);
    if !fixtures.join("versions.yaml").is_file() {
        let problem = format!("{} contains no versions.yaml", fixtures.display());
        return Err(CliError::bad_use(problem)
            .with_help("run it in a checkout of the harness, or name its folder with --fixtures"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| CliError::Environment(format!("failed to start the runtime: {error}")))?;
    let locked = runtime
        .block_on(lock_ray(release, options.until, fixtures))
        .map_err(environment)?;
    let (path, packages) = (locked.path.display(), locked.packages);
    let next = match Pins::embedded().ray(release) {
        Ok(_) if locked.is_changed => "review it with `git diff`".to_owned(),
        Ok(_) => "it is as before".to_owned(),
        Err(_) => format!(
            "review it, and add `{release}: {{lock: ray/{release}/requirements.lock}}` to ray.releases in \
             versions.yaml"
        ),
    };
    print_lines!("{path} locks {packages} packages: {next}");
    Ok(PASSED)
}

#[expect(clippy::needless_pass_by_value, reason = "errors come as values")]
fn environment(error: ArtifactError) -> CliError {
    CliError::Environment(error.to_string())
}

/// Size, age, need and name of each.
fn table(stock: &[Stored]) -> String {
    let now = SystemTime::now();
    let line = |artifact: &Stored| {
        format!(
            "{:>9}  {:>7}  {:<19}  {}/{}\n",
            size(artifact.bytes),
            age(now, artifact.used),
            artifact.need.word(),
            artifact.name,
            artifact.key
        )
    };
    let head = format!(
        "{:>9}  {:>7}  {:<19}  {}\n",
        "SIZE", "USED", "NEED", "ARTIFACT"
    );
    let lines: String = stock.iter().map(line).collect();
    if lines.is_empty() {
        lines
    } else {
        head + &lines
    }
}

fn total(done: &str, stock: &[Stored]) -> String {
    let bytes = stock.iter().map(|artifact| artifact.bytes).sum();
    format!(
        "the cache {done} {} in {} artifacts\n",
        size(bytes),
        stock.len()
    )
}

fn json(stock: &[Stored]) -> String {
    let now = SystemTime::now();
    let one = |artifact: &Stored| {
        let unused = now.duration_since(artifact.used).unwrap_or_default();
        serde_json::json!({
            "name": artifact.name, "key": artifact.key, "bytes": artifact.bytes,
            "unusedSeconds": unused.as_secs(), "need": artifact.need,
        })
    };
    let all: Vec<_> = stock.iter().map(one).collect();
    visible::json(&serde_json::to_string_pretty(&all).unwrap_or_default()) + "\n"
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes / MIB {
        0 => format!("{} KiB", bytes.div_ceil(1024)),
        mib if mib < 10 * 1024 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib / 1024),
    }
}

fn age(now: SystemTime, used: SystemTime) -> String {
    let seconds = now.duration_since(used).unwrap_or_default().as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A line for each image and file; `-` where there is nothing.
fn lines(inventory: &Inventory) -> String {
    let column = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let images = inventory.images.iter().map(|image| {
        let (place, digest) = (column(&image.mirror), column(&image.digest));
        format!("image\t{}\t{place}\t{digest}\n", image.source)
    });
    let files = inventory.files.iter().map(|file| {
        let (place, sum) = (column(&file.mirror), column(&file.checksum));
        format!("file\t{}\t{place}\t{sum}\n", file.url)
    });
    images.chain(files).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;
    use crate::artifact::{PublicFile, PublicImage};

    #[rstest]
    #[case(0, "0 KiB")]
    #[case(1, "1 KiB")]
    #[case(1 << 20, "1 MiB")]
    #[case((10 << 30) - 1, "10239 MiB")]
    #[case(10 << 30, "10 GiB")]
    fn sizes_have_a_unit_that_suits_them(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(size(bytes), expected);
    }

    #[rstest]
    #[case(119, "119 s")]
    #[case(120, "2 min")]
    #[case(7_200, "2 h")]
    #[case(172_800, "2 d")]
    fn ages_have_a_unit_that_suits_them(#[case] seconds: u64, #[case] expected: &str) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(age(now, now - Duration::from_secs(seconds)), expected);
        // A clock that was set back makes nothing older.
        assert_eq!(age(now - Duration::from_secs(seconds), now), "0 s");
    }

    #[test]
    fn an_empty_cache_has_a_total_and_no_table() {
        assert_eq!(table(&[]), "");
        assert_eq!(
            total("holds", &[]),
            "the cache holds 0 KiB in 0 artifacts\n"
        );
    }

    #[test]
    fn what_a_mirror_lacks_is_a_dash() {
        let inventory = Inventory {
            images: vec![PublicImage {
                name: "rayproject/ray:2.52.0".into(),
                digest: None,
                source: "docker.io/rayproject/ray:2.52.0".into(),
                mirror: Some("mirror/ray:2.52.0".into()),
            }],
            files: vec![PublicFile {
                url: "https://example.com/etcd".into(),
                checksum: Some("sha256:0".into()),
                mirror: None,
            }],
        };
        let expected = "image\tdocker.io/rayproject/ray:2.52.0\tmirror/ray:2.52.0\t-\n\
                        file\thttps://example.com/etcd\t-\tsha256:0\n";
        assert_eq!(lines(&inventory), expected);
    }
}
