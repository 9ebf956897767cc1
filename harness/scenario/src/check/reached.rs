//! Which of two milestones was reached first, and how long before the other.

use super::{Finding, Observation, Verdict, duration};
use crate::ReachedCheck;

pub(super) fn evaluate(check: &ReachedCheck, observation: &Observation) -> Verdict {
    let (first, then) = (check.first.word(), check.then.word());
    let apart = check
        .apart
        .as_deref()
        .map(|text| duration::parse("apart", text));
    let least = match apart.transpose() {
        Ok(least) => least.unwrap_or_default(),
        Err(message) => {
            return Verdict::Never(Finding {
                message,
                ..Finding::default()
            });
        }
    };
    let finding = |message: String| Finding {
        message,
        expected: Some(match &check.apart {
            Some(apart) => format!("`{first}` at least {apart} before `{then}`"),
            None => format!("`{first}` before `{then}`"),
        }),
        ..Finding::default()
    };
    let at = |milestone| observation.milestones.get(milestone).copied();
    match (at(&check.first), at(&check.then)) {
        (None, None) => Verdict::NotYet(finding(format!(
            "neither `{first}` nor `{then}` is reached"
        ))),
        (None, Some(_)) => Verdict::Never(finding(format!(
            "`{then}` was reached, and `{first}` is not"
        ))),
        (Some(_), None) => {
            Verdict::NotYet(finding(format!("`{first}` is reached; waits for `{then}`")))
        }
        (Some(one), Some(other)) => {
            let apart = other.duration_since(one);
            let seconds = apart.as_secs_f64();
            if apart.is_negative() {
                return Verdict::Never(finding(format!(
                    "`{then}` was reached {:.1} s before `{first}`",
                    -seconds
                )));
            }
            let found = finding(format!(
                "`{first}` was reached {seconds:.1} s before `{then}`"
            ));
            if apart > least || (check.apart.is_some() && apart == least) {
                Verdict::Pass(found)
            } else {
                Verdict::Never(found)
            }
        }
    }
}
