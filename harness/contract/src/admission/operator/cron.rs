//! The operator's checks of a RayCronJob: its name, its schedule and its template.

use super::super::checks::{Checks, OperatorCheck};
use super::super::view::View;
use super::job;
use crate::classes::plain;
use crate::go::duration;
use semver::Version;
use serde_json::Value;

/// Finds what is wrong with a RayCronJob.
pub(super) fn check(checks: &Checks, root: &View) {
    let name = root.find(&["metadata", "name"]);
    if name.text().len() > 36 {
        let message = "RayCronJob name should be no more than 36 characters";
        checks.refuse(OperatorCheck::CronJobName, &name, message);
    }
    // Before 1.7 the RayJob has a random name that may break the rules of RayJobs.
    if plain(checks.release) < Version::new(1, 7, 0) && !name.text().is_empty() {
        let job = format!("{}-xxxxx", name.text());
        super::name_of(
            checks,
            OperatorCheck::JobName,
            &name,
            &job,
            "RayJob",
            47,
            "The RayJob metadata is invalid: ",
        );
    }
    let spec = root.get("spec");
    let schedule = spec.get("schedule");
    let has_zones = plain(checks.release) >= Version::new(1, 7, 0);
    if has_zones && schedule.text().contains("TZ") {
        let message = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        checks.refuse(OperatorCheck::CronJobSchedule, &schedule, message);
    } else if let Err(problem) = parse(schedule.text()) {
        let message = format!("invalid cron schedule: {problem}");
        checks.refuse(OperatorCheck::CronJobSchedule, &schedule, message);
    }
    let zone = spec.get("timeZone");
    if has_zones && zone.exists() && zone.text().is_empty() {
        let message = "timeZone must not be empty string, omit the field to use the local time zone \
                       of the KubeRay operator";
        checks.refuse(OperatorCheck::CronJobZone, &zone, message);
    } else if has_zones && let Some(problem) = unknown_zone(zone.text()) {
        let message = format!("invalid time zone: {problem}");
        checks.refuse(OperatorCheck::CronJobZone, &zone, message);
    }
    job::spec(checks, &spec.get("jobTemplate"), &View::root(&Value::Null));
}

/// The zones that Go brings with it (`time/tzdata`), a line each.
static ZONES: &str = include_str!("../../../data/time-zones.txt");

/// Returns the error of `time.LoadLocation` for a zone's name; `None` where it knows the zone.
fn unknown_zone(name: &str) -> Option<String> {
    if matches!(name, "" | "UTC" | "Local") {
        return None;
    }
    if name.contains("..") || name.starts_with(['/', '\\']) {
        return Some("time: invalid location name".into());
    }
    let known = ZONES
        .lines()
        .any(|zone| zone == name && !zone.starts_with('#'));
    (!known).then(|| format!("unknown time zone {name}"))
}

/// A field of a schedule.
struct Field {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        least: 0,
        most: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Reads a schedule as `ParseStandard` of robfig/cron does; zones are not looked up.
fn parse(schedule: &str) -> Result<(), String> {
    if schedule.is_empty() {
        return Err("empty spec string".into());
    }
    let mut rest = schedule;
    if rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=") {
        let Some((_, after)) = rest.split_once(' ') else {
            return Err(format!("provided bad location {rest}"));
        };
        rest = after.trim();
    }
    if rest.starts_with('@') {
        return descriptor(rest);
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        ));
    }
    for (text, field) in fields.iter().zip(&FIELDS) {
        for range in text.split(',').filter(|range| !range.is_empty()) {
            check_range(range, field)?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), String> {
    const NAMES: [&str; 7] = [
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
    ];
    if NAMES.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(every) if duration::parse(every).is_some() => Ok(()),
        Some(_) => Err(format!("failed to parse duration {text}")),
        None => Err(format!("unrecognized descriptor: {text}")),
    }
}

fn check_range(text: &str, field: &Field) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let (least, mut most) = match ends[0] {
        "*" | "?" => (field.least, field.most),
        first => {
            let first = number(first, field)?;
            match ends[1..] {
                [] => (first, first),
                [last] => (first, number(last, field)?),
                _ => return Err(format!("too many hyphens: {text}")),
            }
        }
    };
    let step = match parts[1..] {
        [] => 1,
        [step] => {
            if ends.len() == 1 {
                most = field.most;
            }
            integer(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if least < field.least {
        let bound = field.least;
        return Err(format!(
            "beginning of range ({least}) below minimum ({bound}): {text}"
        ));
    }
    if most > field.most {
        let bound = field.most;
        return Err(format!(
            "end of range ({most}) above maximum ({bound}): {text}"
        ));
    }
    if least > most {
        return Err(format!(
            "beginning of range ({least}) beyond end of range ({most}): {text}"
        ));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number(text: &str, field: &Field) -> Result<u32, String> {
    let lower = text.to_lowercase();
    let named = field.names.iter().position(|name| *name == lower);
    match named.and_then(|index| u32::try_from(index).ok()) {
        Some(index) => Ok(index + field.least),
        None => integer(text),
    }
}

fn integer(text: &str) -> Result<u32, String> {
    let value: i64 = text.parse().map_err(|_| {
        format!("failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": invalid syntax")
    })?;
    if value < 0 {
        return Err(format!("negative number ({value}) not allowed: {text}"));
    }
    Ok(u32::try_from(value).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Europe/Berlin", None)]
    #[case("America/Argentina/Ushuaia", None)]
    #[case("UTC", None)]
    #[case("Local", None)]
    #[case("", None)]
    #[case("Mars/X", Some("unknown time zone Mars/X"))]
    #[case("europe/berlin", Some("unknown time zone europe/berlin"))]
    #[case("Europe", Some("unknown time zone Europe"))]
    #[case("../UTC", Some("time: invalid location name"))]
    fn zones(#[case] name: &str, #[case] problem: Option<&str>) {
        assert_eq!(unknown_zone(name).as_deref(), problem, "{name}");
    }

    #[rstest]
    #[case("0 * * * *")]
    #[case("*/5 1-3 1,15 JAN-mar sun")]
    #[case("? 0/2 * * 1-5/2")]
    #[case("CRON_TZ=Europe/Berlin 0 4 * * *")]
    #[case("@hourly")]
    #[case("@every 1h30m")]
    #[case("@every 1.5s")]
    fn schedules_that_the_operator_reads(#[case] schedule: &str) {
        assert_eq!(parse(schedule), Ok(()));
    }

    #[rstest]
    #[case("", "empty spec string")]
    #[case("* * * *", "expected exactly 5 fields, found 4: [* * * *]")]
    #[case("0 0 0 * * *", "expected exactly 5 fields, found 6: [0 0 0 * * *]")]
    #[case("60 * * * *", "end of range (60) above maximum (59): 60")]
    #[case("* * 0 * *", "beginning of range (0) below minimum (1): 0")]
    #[case("* * * * 7", "end of range (7) above maximum (6): 7")]
    #[case("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1")]
    #[case("*/0 * * * *", "step of range should be a positive number: */0")]
    #[case("1-2-3 * * * *", "too many hyphens: 1-2-3")]
    #[case("1/2/3 * * * *", "too many slashes: 1/2/3")]
    #[case("@reboot", "unrecognized descriptor: @reboot")]
    #[case("@every 5", "failed to parse duration @every 5")]
    fn schedules_that_it_refuses(#[case] schedule: &str, #[case] problem: &str) {
        assert_eq!(parse(schedule), Err(problem.into()));
    }
}
