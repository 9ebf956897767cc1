//! The form of the generated `ray start` command, and the order of its flags, which is random
//! before KubeRay 1.3.

/// The text before a generated `ray start`: up to KubeRay 1.6, and from 1.7 on (#4860).
const ULIMITS: [&str; 2] = [
    "ulimit -n 65536; ",
    "ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}; ",
];
const SLEEP: &str = " && sleep infinity";

/// Sorts the flags of the command that the operator generated at the end of a container's only
/// argument; `None` when the argument does not end in exactly the generated form.
///
/// ```
/// use kuberay_contract::sorted_args;
///
/// let sorted = sorted_args("date && ulimit -n 65536; ray start --head  --num-cpus=1  --block ");
/// assert_eq!(
///     sorted.as_deref(),
///     Some("date && ulimit -n 65536; ray start --head  --block  --num-cpus=1 ")
/// );
/// ```
pub fn sorted_args(text: &str) -> Option<String> {
    let parts = Parts::of(text)?;
    let sorted = sorted_command(parts.command)?;
    Some(format!(
        "{}{}{sorted}{}",
        parts.user, parts.ulimit, parts.sleep
    ))
}

/// Returns the generated flags at the end of a container's only argument, in their order; `None`
/// when the argument does not end in exactly the generated form.
///
/// ```
/// use kuberay_contract::flags_of_args;
///
/// let flags = flags_of_args("ulimit -n 65536; ray start --head  --num-cpus=1  --block ");
/// assert_eq!(flags, Some(vec!["--num-cpus=1", "--block"]));
/// ```
pub fn flags_of_args(text: &str) -> Option<Vec<&str>> {
    let (_, flags) = split(Parts::of(text)?.command)?;
    Some(flags.into_iter().map(str::trim).collect())
}

/// Sorts the flags of a generated `ray start` command by key; `None` when it does not have exactly
/// the generated form, in which every flag has one space before and one after it.
///
/// Only whole flags move, each with its two spaces, so a lost or added space is as visible as
/// before.
///
/// ```
/// use kuberay_contract::sorted_command;
///
/// let sorted = sorted_command("ray start --head  --num-cpus=1  --block ");
/// assert_eq!(sorted.as_deref(), Some("ray start --head  --block  --num-cpus=1 "));
/// assert_eq!(sorted_command("ray stop"), None);
/// ```
pub fn sorted_command(text: &str) -> Option<String> {
    let (start, mut flags) = split(text)?;
    let key = |flag: &&str| flag.split(['=', ' ']).nth(1).map(str::to_owned);
    flags.sort_by_key(|flag| (key(flag), *flag));
    Some(format!("{start}{}", flags.concat()))
}

/// A generated argument: what the user wrote with its joint, the `ray start` command, and what
/// follows it.
struct Parts<'a> {
    user: &'a str,
    ulimit: &'static str,
    command: &'a str,
    sleep: &'static str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let found = |ulimit: &'static str| Some((text.rfind(ulimit)?, ulimit));
        let (at, ulimit) = ULIMITS.into_iter().filter_map(found).max()?;
        let (user, generated) = (&text[..at], &text[at + ulimit.len()..]);
        if !user.is_empty() && !user.ends_with(" && ") {
            return None;
        }
        let (command, sleep) = match generated.strip_suffix(SLEEP) {
            Some(command) => (command, SLEEP),
            None => (generated, ""),
        };
        Some(Self {
            user,
            ulimit,
            command,
            sleep,
        })
    }
}

/// The beginning of a generated command, and its flags, each with the space before and after it.
fn split(text: &str) -> Option<(&'static str, Vec<&str>)> {
    let (start, flags) = ["ray start --head ", "ray start "]
        .iter()
        .find_map(|start| Some((*start, text.strip_prefix(start)?)))?;
    let mut pieces = Vec::new();
    let mut rest = flags;
    while let Some(at) = rest.find("  --") {
        pieces.push(&rest[..=at]);
        rest = &rest[at + 1..];
    }
    pieces.push(rest);
    let regular =
        |piece: &&str| piece.starts_with(" --") && piece.ends_with(' ') && !piece.ends_with("  ");
    pieces.iter().all(regular).then_some((start, pieces))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SORTED: &str =
        "ray start --head  --block  --dashboard-host=0.0.0.0  --memory=2147483648  --num-cpus=1 ";

    #[rstest]
    #[case::head(
        "ray start --head  --num-cpus=1  --block  --memory=2147483648  --dashboard-host=0.0.0.0 ",
        Some(SORTED)
    )]
    #[case::already(SORTED, Some(SORTED))]
    #[case::worker(
        "ray start  --block  --address=a:6379 ",
        Some("ray start  --address=a:6379  --block ")
    )]
    #[case::by_key("ray start  --a-b  --a=1 ", Some("ray start  --a=1  --a-b "))]
    #[case::json(
        r#"ray start  --resources='{"b": 1, "a": 2}'  --block "#,
        Some(r#"ray start  --block  --resources='{"b": 1, "a": 2}' "#)
    )]
    #[case::no_space_at_the_end("ray start  --b  --a", None)]
    #[case::two_spaces_at_the_end("ray start  --b  --a  ", None)]
    #[case::three_spaces_between("ray start  --b   --a ", None)]
    #[case::no_space_at_the_start("ray start --b  --a ", None)]
    #[case::no_flags("ray start --head ", None)]
    #[case::another_command("ray stop  --b  --a ", None)]
    fn commands(#[case] text: &str, #[case] sorted: Option<&str>) {
        assert_eq!(sorted_command(text).as_deref(), sorted);
    }

    #[rstest]
    #[case::alone(
        "ulimit -n 65536; ray start  --b  --a ",
        Some("ulimit -n 65536; ray start  --a  --b ")
    )]
    #[case::after_the_users(
        " echo 123  456  && ulimit -n 65536; ray start --head  --b  --a ",
        Some(" echo 123  456  && ulimit -n 65536; ray start --head  --a  --b ")
    )]
    #[case::without_block(
        "ulimit -n 65536; ray start  --b  --a  && sleep infinity",
        Some("ulimit -n 65536; ray start  --a  --b  && sleep infinity")
    )]
    #[case::limit_of_the_environment(
        " x  && ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}; ray start  --b  --a ",
        Some(" x  && ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}; ray start  --a  --b ")
    )]
    #[case::the_users_own(" ray start  --b  --a ", None)]
    #[case::the_users_own_after_a_limit(" x; ulimit -n 65536; ray start  --b  --a ", None)]
    #[case::no_joint("echo ulimit -n 65536; ray start  --b  --a ", None)]
    #[case::more_after_it("ulimit -n 65536; ray start  --b  --a ; x", None)]
    fn arguments(#[case] text: &str, #[case] sorted: Option<&str>) {
        assert_eq!(sorted_args(text).as_deref(), sorted);
    }

    #[test]
    fn flags_come_in_their_order() {
        let text = " x  && ulimit -n 65536; ray start  --b=1  --a  && sleep infinity";
        assert_eq!(flags_of_args(text), Some(vec!["--b=1", "--a"]));
        assert_eq!(flags_of_args(" ray start  --b=1  --a "), None);
    }

    #[rstest]
    #[case::flag_missing("ray start --head  --num-cpus=1  --block  --memory=2147483648 ")]
    #[case::flag_twice(
        "ray start --head  --num-cpus=1  --block  --block  --memory=2147483648  --dashboard-host=0.0.0.0 "
    )]
    #[case::value(
        "ray start --head  --num-cpus=2  --block  --memory=2147483648  --dashboard-host=0.0.0.0 "
    )]
    #[case::space_lost(
        "ray start --head  --num-cpus=1 --block  --memory=2147483648  --dashboard-host=0.0.0.0 "
    )]
    #[case::space_added(
        "ray start --head  --num-cpus=1   --block  --memory=2147483648  --dashboard-host=0.0.0.0 "
    )]
    #[case::space_at_the_end(
        "ray start --head  --num-cpus=1  --block  --memory=2147483648  --dashboard-host=0.0.0.0"
    )]
    #[case::not_the_head(
        "ray start  --num-cpus=1  --block  --memory=2147483648  --dashboard-host=0.0.0.0 "
    )]
    fn sorting_hides_no_fault(#[case] faulty: &str) {
        assert_ne!(sorted_command(faulty).as_deref().unwrap_or(faulty), SORTED);
    }
}
