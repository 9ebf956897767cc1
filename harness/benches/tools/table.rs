//! What was measured, as text.

use super::{Measured, SCENARIOS, TOOLS};

/// One measurement.
pub fn line(round: usize, one: &Measured) -> String {
    let extra = one
        .extra
        .map(|extra| format!(", {:.0} ms over the truth", extra * 1000.0));
    format!(
        "round {}: {}: {}: {:.2} s{}, CPU {:.2} s, {:.0} MiB, {} requests",
        round + 1,
        one.scenario.unwrap_or("suite"),
        one.tool.name(),
        one.wall,
        extra.unwrap_or_default(),
        one.cpu,
        one.memory,
        one.requests
    )
}

/// The values of all rounds, in their order, in one case of the table.
fn case(all: &[&Measured], show: impl Fn(&Measured) -> String) -> String {
    all.iter()
        .map(|one| show(one))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The table of docs/benchmarks.md.
pub fn markdown(all: &[Measured]) -> String {
    let mut text = String::from(
        "| scenario | tool | wall s | over the truth ms | CPU s | memory MiB | requests |\n|---|---|---|---|---|---|---|\n",
    );
    let scenarios = SCENARIOS.iter().map(|one| Some(one.name)).chain([None]);
    for scenario in scenarios {
        for tool in TOOLS {
            let of: Vec<&Measured> = all
                .iter()
                .filter(|one| one.tool == tool && one.scenario == scenario)
                .collect();
            if of.is_empty() {
                continue;
            }
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} | {} |\n",
                scenario.unwrap_or("suite"),
                tool.name(),
                case(&of, |one| format!("{:.1}", one.wall)),
                case(&of, |one| one
                    .extra
                    .map_or("-".into(), |extra| format!("{:.0}", extra * 1000.0))),
                case(&of, |one| format!("{:.2}", one.cpu)),
                case(&of, |one| format!("{:.0}", one.memory)),
                case(&of, |one| one.requests.to_string()),
            ));
        }
    }
    text
}
