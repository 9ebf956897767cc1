//! The parts of a generated start command, read without knowing what a release writes into them.

/// What stands between the user's text and the generated command.
const JOINT: &str = " && ";
const START: &str = "ray start";

/// A generated argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Args<'a> {
    /// The user's text with the joint; empty without one.
    pub before: &'a str,
    /// The `ulimit` command, without the separator that follows it.
    pub ulimit: &'a str,
    /// The generated `ray start`.
    pub start: Start<'a>,
}

/// A generated `ray start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start<'a> {
    /// `ray start`, and ` --head` for the head.
    pub program: &'a str,
    /// Each flag with the spaces around it.
    pub flags: Vec<&'a str>,
    /// What follows the flags, such as ` && sleep infinity`.
    pub end: &'a str,
}

impl<'a> Args<'a> {
    /// Reads the only argument of a shell that the operator wrote; none where it has another form.
    pub fn of(text: &'a str) -> Option<Self> {
        let at = text.rfind("; ray start").map(|at| at + 2);
        let at = at.or_else(|| text.rfind(START))?;
        let (left, start) = text.split_at(at);
        let start = Start::of(start)?;
        let left = left.strip_suffix("; ").unwrap_or(left);
        let ulimit = left.rfind("ulimit ").unwrap_or(left.len());
        let (before, ulimit) = left.split_at(ulimit);
        Some(Self {
            before,
            ulimit,
            start,
        })
    }

    /// The user's text where the usual joint follows it.
    pub fn user(&self) -> Option<&'a str> {
        if self.before.is_empty() {
            return Some("");
        }
        self.before.strip_suffix(JOINT)
    }
}

impl<'a> Start<'a> {
    /// Reads a generated `ray start`; none where the text begins otherwise.
    pub fn of(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(START)?;
        let head = if rest.starts_with(" --head ") {
            " --head".len()
        } else {
            0
        };
        // The space after it is the program's; each flag has two of its own.
        let space = usize::from(rest[head..].starts_with(' '));
        let (program, mut rest) = text.split_at(START.len() + head + space);
        let end = rest.rfind("  && ").map_or(rest.len(), |at| at + 1);
        let end = if rest[end..].contains(" --") {
            rest.len()
        } else {
            end
        };
        let flags_end = end;
        let end = &rest[flags_end..];
        rest = &rest[..flags_end];
        let mut flags = Vec::new();
        while let Some(at) = rest.get(1..).and_then(|rest| rest.find(" --")) {
            // A flag's text includes the space after it, and the next one begins with its own.
            let (flag, next) = rest.split_at(at + 1);
            flags.push(flag);
            rest = next;
        }
        if !rest.is_empty() {
            flags.push(rest);
        }
        Some(Self {
            program,
            flags,
            end,
        })
    }
}

/// Whether the user's text stands before the generated command in one argument and behind it in the
/// other.
pub(super) fn swapped(old: &str, new: &str) -> bool {
    let is_swapped = |old: &str, new: &str| {
        let Some(args) = Args::of(old) else {
            return false;
        };
        let generated = &old[args.before.len()..];
        let user = args.user().unwrap_or_default();
        let rest = new.strip_prefix(generated);
        !user.is_empty() && rest.is_some_and(|rest| rest.ends_with(user))
    };
    is_swapped(old, new) || is_swapped(new, old)
}

/// The name of a flag, such as `--block`.
pub(super) fn name(flag: &str) -> &str {
    let flag = flag.trim();
    flag.split(['=', ' ']).next().unwrap_or(flag)
}
