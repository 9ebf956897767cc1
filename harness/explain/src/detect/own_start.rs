//! The `ray start` of a command that the operator leaves as it is, with its options.

use kuberay_manifest::{Cursor, Location};

use super::Group;
use super::command::{self, GENERATED, is_shell};
use crate::shell;

/// The only `ray start` of a command, all of whose words are known.
pub(super) struct OwnStart<'a> {
    /// The element that holds it.
    pub at: Cursor<'a>,
    /// Its beginning.
    pub location: Location,
    /// The words behind `ray start`, without quotes, and where each one is.
    words: Vec<(String, Location)>,
}

impl<'a> OwnStart<'a> {
    /// Finds it in the elements of `command` and `args`; none where there are several, or a shell or
    /// the kubelet replaces a part of its words.
    pub fn of(group: &Group, words: &'a [Cursor<'a>]) -> Option<Self> {
        let inner = command::inner(words);
        match command::script(inner) {
            Some(Ok(script)) if is_shell(inner.first()?) => Self::of_script(group, script),
            Some(_) => None,
            None => Self::of_elements(inner),
        }
    }

    fn of_script(group: &Group, script: &Cursor<'a>) -> Option<Self> {
        let text = script.text();
        if shell::may_run(text, GENERATED) {
            return None;
        }
        let calls = shell::calls(text, &["ray", "start"]);
        let [call] = calls.as_slice() else {
            return None;
        };
        let place = |at: usize| shell::location(group.source, script, at);
        let words = call
            .iter()
            .map(|word| Some((shell::literal(&word.raw)?, place(word.at))));
        // What the kubelet replaces is an expansion for bash, too, and so no literal.
        let words: Vec<(String, Location)> = words.collect::<Option<_>>()?;
        let location = words.first().map(|(_, at)| *at)?;
        Some(Self {
            at: script.clone(),
            location,
            words,
        })
    }

    fn of_elements(words: &[Cursor<'a>]) -> Option<Self> {
        let [program, start, options @ ..] = words else {
            return None;
        };
        let is_ray = program.text().rsplit('/').next() == Some("ray") && start.text() == "start";
        // The kubelet replaces `$(NAME)`.
        if !is_ray || options.iter().any(|word| word.text().contains('$')) {
            return None;
        }
        Some(Self {
            at: program.clone(),
            location: program.node.place.location,
            words: options
                .iter()
                .map(|word| (word.text().to_owned(), word.node.place.location))
                .collect(),
        })
    }

    /// The value of an option, and where it is; the last one counts.
    pub fn value(&self, parameter: &str) -> Option<(String, Location)> {
        let option = format!("--{parameter}");
        let mut found = None;
        for (index, (word, at)) in self.words.iter().enumerate() {
            if *word == option {
                let next = self.words.get(index + 1);
                found = next.map(|(value, _)| (value.clone(), *at));
            } else if let Some(value) = word
                .strip_prefix(&option)
                .and_then(|rest| rest.strip_prefix('='))
            {
                found = Some((value.to_owned(), *at));
            }
        }
        found
    }

    /// Returns whether an option is given.
    pub fn has(&self, option: &str) -> bool {
        self.words.iter().any(|(word, _)| word == option)
    }
}
