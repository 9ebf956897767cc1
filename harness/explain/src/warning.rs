//! The traps that `explain` warns of, in one table.

use kuberay_manifest::Severity;

/// A trap: a way in which a manifest does something other than it says, with its rule of the
/// contract and the help for it.
///
/// ```
/// use kuberay_explain::{TRAPS, check::trap};
///
/// let trap = trap("trailing-ampersand").unwrap();
/// assert_eq!(trap.rule, "C04");
/// assert!(TRAPS.contains(&trap));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// Its name, in kebab case; stable.
    pub id: &'static str,
    /// The rule of the contract that it follows from.
    pub rule: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// The effect, in sentences.
    pub text: &'static str,
    /// The text to write instead, in a sentence.
    pub help: &'static str,
    /// Names of the scenarios that prove it.
    pub scenarios: &'static [&'static str],
}

macro_rules! traps {
    ($($constant:ident $id:literal $rule:ident $severity:ident: $text:literal; $help:literal; [$($scenario:literal),*])*) => {
        $(pub(super) const $constant: &Trap = &Trap {
            id: $id,
            rule: stringify!($rule),
            severity: Severity::$severity,
            text: $text,
            help: $help,
            scenarios: &[$($scenario),*],
        };)*

        /// Every trap, in the order of the documentation.
        ///
        /// ```
        /// use kuberay_explain::TRAPS;
        ///
        /// assert!(TRAPS.iter().any(|trap| trap.id == "errexit"));
        /// ```
        pub static TRAPS: &[&Trap] = &[$($constant),*];
    };
}

traps! {
    TRAILING_AMPERSAND "trailing-ampersand" C04 Warning:
        "The text ends in `&`, and ` && ulimit …` follows it: bash finds a syntax error in that line, and `ray start` never runs.";
        "Put the background command in parentheses: `(my-command &)`.";
        ["text-that-the-joint-breaks", "trailing-ampersand"]
    TRAILING_SEMICOLON "trailing-semicolon" C04 Warning:
        "The text ends in `;`, and ` && ulimit …` follows it: bash finds a syntax error in that line, and `ray start` never runs.";
        "Leave the last `;` out.";
        ["text-that-the-joint-breaks", "trailing-semicolon"]
    TRAILING_NEWLINE "trailing-newline" C04 Warning:
        "The text ends with a line break, so ` && ulimit …` is on the next line. Bash runs your lines and then finds a syntax error; `ray start` never runs.";
        "Write the block as `|-` instead of `|`, so that it ends without a line break.";
        ["text-that-the-joint-breaks", "trailing-newline"]
    TRAILING_OPERATOR "trailing-operator" C04 Warning:
        "The text ends in an operator or contains no command, and ` && ulimit …` follows it: bash finds a syntax error in that line, and `ray start` never runs.";
        "End the text with a whole command, or leave `command` and `args` out.";
        ["trailing-operator"]
    TRAILING_COMMENT "trailing-comment" C04 Warning:
        "The last line ends in a comment, which includes `ulimit` and `ray start`: the container exits with code 0, and Ray never starts.";
        "Move the comment into a line of its own before the last command.";
        ["text-that-the-joint-breaks", "trailing-comment"]
    SYNTAX_ERROR "syntax-error" C04 Warning:
        "Bash can't parse the text, and `ray start` never runs.";
        "Correct the text; `bash -n` reads it without running it.";
        ["characters-of-the-shell"]
    OPEN_HERE_DOCUMENT "open-here-document" C04 Warning:
        "The here-document has no end, so it includes the `ray start` that follows: Ray never starts.";
        "End it with a line that contains only its delimiter, and put a command after that line.";
        ["here-document-without-end"]
    NOT_ANALYSED "not-analysed" C04 Note:
        "This text was not analysed, so traps in it are not reported.";
        "Read the generated text, or move the commands into a script of the image.";
        []
    ENDS_SHELL "ends-shell" C03 Warning:
        "This command ends the shell that should run `ray start` afterwards. If it runs, Ray never starts.";
        "Put it in a subshell, `(…)`, or write `command || exit 1` if a failure should end the container.";
        ["failing-command", "exit-ends-the-container", "exec-replaces-the-shell"]
    NEVER_RETURNS "never-returns" C03 Warning:
        "This command never returns, and `ray start` comes after it. If it runs, Ray never starts.";
        "Run it in the background, `(command &)`, or leave it out: the operator's `ray start --block` keeps the container running.";
        ["command-that-never-returns"]
    WAITS_FOR_JOBS "waits-for-jobs" C03 Note:
        "`wait` waits for every background job. If one of them never ends, `ray start` never runs.";
        "Give `wait` the process that it should wait for, or start the job in a subshell, `(command &)`.";
        ["wait-for-all-jobs"]
    FAILURE_SWALLOWED "failure-swallowed" C03 Note:
        "If this command fails, bash skips only `ulimit`, because `&&` applies to it alone. `ray start` runs anyway, and the failure is lost.";
        "Write `command || exit 1` as the last command if Ray should not start after a failure.";
        ["failing-command", "failing-command-is-swallowed"]
    ERREXIT "errexit" C03 Warning:
        "After `set -e`, the shell exits if a command before the last one fails, or if `ulimit -n 65536` fails on this machine. Ray then never starts.";
        "Write `set +e` as the last command, so that only your own commands end the shell.";
        ["failing-command", "errexit-before-the-last-command", "errexit-and-the-limit"]
    ARGV_LOSES_QUOTING "argv-loses-quoting" C05 Warning:
        "The operator joins the elements with spaces, and bash parses the result again. An element with spaces becomes several words, and bash interprets characters such as `;`, `>` and parentheses.";
        "Quote the element for bash as well, `\"'hello world'\"`, or write a script as the only element, without `bash -c`.";
        ["argument-boundaries-lost", "script-in-words"]
    SHELL_WITHOUT_SCRIPT "shell-without-script" C05 Warning:
        "The generated command follows an option that needs a script: `bash -c && ulimit …` is an error, and then `ray start` runs.";
        "Leave `command` out, or set the annotation ray.io/overwrite-container-cmd and give the script in `args`.";
        ["argument-boundaries-lost"]
    RAY_START_IN_TEXT "ray-start-in-text" C06 Warning:
        "The text contains `ray start`, so KubeRay adds neither `ulimit` nor flags: Ray gets no memory and CPU limits, and a worker gets no address of the head.";
        "Leave `ray start` to the operator, or give every flag yourself.";
        ["ray-start-in-user-text", "generated-start-command-with-ray-start", "ray-start-only-mentioned"]
    RAY_START_IN_WORDS "ray-start-in-words" C06 Warning:
        "KubeRay recognises only `ray start` with one space between the words, and it joins elements with two. It appends the generated command to this text, which starts Ray again when this text returns.";
        "Write `ray start` in one element with one blank, or set the annotation ray.io/overwrite-container-cmd.";
        ["ray-start-as-two-words", "ray-started-twice"]
    RAY_START_WITHOUT_BLOCK "ray-start-without-block" C06 Warning:
        "Without `--block`, or in the background, `ray start` leaves Ray running and returns. The text ends, the container exits, and the kubelet restarts it again and again.";
        "Add `--block` to the last `ray start`, or add a command after it that runs for as long as Ray should.";
        ["own-start-without-block"]
    RAY_START_WITHOUT_ADDRESS "ray-start-without-address" C06 Warning:
        "`ray start` needs `--head` on the head and `--address` on a worker: without either, Ray exits with an error, and with `--head` a worker starts a cluster of its own.";
        "Write `ray start --address=$RAY_ADDRESS --block` for a worker, or run `eval \"$KUBERAY_GEN_RAY_START_CMD\"`.";
        ["own-start-without-address"]
    ANNOTATION_IGNORED "annotation-ignored" C07 Warning:
        "The annotation ray.io/overwrite-container-cmd has no effect here, so the operator appends `ray start`.";
        "Write \"true\"; the annotation works from KubeRay 1.1 on.";
        ["overwrite-annotation-letter-case", "overwrite-annotation"]
    OVERWRITE_WITHOUT_COMMAND "overwrite-without-command" C07 Warning:
        "The annotation ray.io/overwrite-container-cmd is in effect, and this container has neither `command` nor `args`: the image's own command runs, and nothing starts Ray.";
        "Give the container a command that runs `eval \"$KUBERAY_GEN_RAY_START_CMD\"`, or set the annotation only on the Pod templates that have a command.";
        ["overwrite-annotation-without-command"]
    GEN_CMD_UNQUOTED "gen-cmd-unquoted" C08 Warning:
        "The shell splits $KUBERAY_GEN_RAY_START_CMD at its spaces, but does not interpret the quotes and variables in it. This value contains some.";
        "Write `eval \"$KUBERAY_GEN_RAY_START_CMD\"`.";
        ["generated-start-command-unquoted"]
    GEN_CMD_WITHOUT_ANNOTATION "gen-cmd-without-annotation" C08 Warning:
        "The annotation ray.io/overwrite-container-cmd is not in effect, so the operator still appends the generated command: Ray starts here, and again after this text.";
        "Set the annotation ray.io/overwrite-container-cmd: \"true\", or leave $KUBERAY_GEN_RAY_START_CMD out.";
        ["generated-start-command-without-annotation"]
    GEN_CMD_NOT_RUN "gen-cmd-not-run" C08 Warning:
        "No shell splits $KUBERAY_GEN_RAY_START_CMD into words here. No program has the whole text as its name, so Ray never starts.";
        "Give it to a shell: `command: [/bin/bash, -c, --]` and `args: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']`.";
        ["generated-start-command-as-a-word"]
    NEEDS_LOGIN_SHELL "needs-login-shell" C09 Warning:
        "From KubeRay 1.4 on, the shell is not a login shell and reads no profile. Without a profile, this command does not exist or is not set up.";
        "Read the file that defines it first, such as `source /opt/conda/etc/profile.d/conda.sh`, or give the operator ENABLE_LOGIN_SHELL=true.";
        ["profile-that-no-shell-reads"]
    PATH_RESET "path-reset" C10 Warning:
        "KubeRay before 1.4, or with ENABLE_LOGIN_SHELL=true, runs a login shell, which reads /etc/profile. In many images, such as Debian's, this file resets PATH, and this value is lost.";
        "Set it in the command, `export PATH=/opt/bin:$PATH`, which the shell reads after the profile.";
        ["path-in-env-of-a-login-shell"]
    ULIMIT_VARIABLE_IGNORED "ulimit-variable-ignored" C11 Warning:
        "The generated command sets the limit of open files to 65536 after your own text. RAY_START_ULIMIT_OPEN_FILES changes this limit only from KubeRay 1.7 on.";
        "Set RAY_START_ULIMIT_OPEN_FILES on KubeRay 1.7 or later, or own the whole command with ray.io/overwrite-container-cmd.";
        ["limit-of-open-files"]
    BLOCK_IGNORED "block-ignored" C12 Warning:
        "From KubeRay 1.1 on, `block` is always true, whatever you write.";
        "Leave it out; to run something after `ray start`, own the whole command with ray.io/overwrite-container-cmd.";
        ["block"]
    FALSE_DROPPED "false-dropped" C12 Warning:
        "The operator drops a parameter that is false, so Ray uses its own default.";
        "Leave it out where false is Ray's default; else own the command with ray.io/overwrite-container-cmd (include-log-monitor is kept from KubeRay 1.7 on).";
        ["boolean-parameters"]
    NO_CPU_LIMIT "no-cpu-limit" C13 Warning:
        "The command has no `--num-cpus`, so Ray counts every CPU of the machine.";
        "Set resources.limits.cpu (from KubeRay 1.3 on requests.cpu does, too), or `num-cpus` in rayStartParams.";
        ["cpus-from-requests", "autoscaler-without-limits"]
    RESOURCES_HIDE_GPUS "resources-hide-gpus" C13 Warning:
        "The operator removes the outer quotes of `resources` and can't parse the rest. It then derives neither `--num-gpus` nor other accelerators from the limits.";
        "Write it in single quotes without escapes, `'{\"a\": 1}'`, or give `num-gpus` yourself.";
        ["escaped-json-hides-gpus"]
    GROUP_FIELD_IGNORED "group-field-ignored" C13 Warning:
        "A group has no `resources` and `labels` before KubeRay 1.5: kubectl refuses the file, and for a client without strict validation the API server drops the fields.";
        "Write them as rayStartParams.";
        ["group-resources-and-labels-unknown"]
    ACCELERATOR_IGNORED "accelerator-ignored" C13 Warning:
        "This release derives nothing from this limit, so Ray does not know the accelerator.";
        "Give it as `num-gpus` or `resources` in rayStartParams.";
        ["accelerators-from-limits", "gpus-from-limits"]
    SHELL_IN_PARAMETER "shell-in-parameter" C14 Warning:
        "The value is unquoted in the generated command, so bash interprets it.";
        "Put it in single quotes inside the value, such as `\"'{\\\"a\\\": 1}'\"`; leave it if bash is meant to expand it.";
        ["parameters-with-metacharacters", "parameters-are-shell-text"]
    EXPANDED_IN_PARAMETER "expanded-in-parameter" C14 Note:
        "Bash expands this in the container, before `ray start` sees it.";
        "Keep it if you intend this and the image sets the variable. Otherwise, put single quotes around the text inside the value.";
        ["parameters-are-shell-text"]
    PORTS_DISAGREE "ports-disagree" C14 Warning:
        "Ray listens on the port that rayStartParams set. The container, and therefore the head's Service, has another port, on which nothing listens.";
        "Give the parameter and the container's port the same number, and leave dashboard-host to the operator.";
        ["worker-address"]
    PROBES_FAIL "probes-fail" C16 Warning:
        "The probes that the operator adds never succeed: the Pod does not become ready, and the kubelet restarts the container again and again.";
        "Leave the parameter out, or give the container a livenessProbe and a readinessProbe of its own.";
        ["probes-at-other-ports", "probes-over-http-at-other-ports"]
    AUTOSCALER_COMMAND_IGNORED "autoscaler-command-ignored" C18 Warning:
        "KubeRay before 1.7 has no autoscalerOptions.command and args: kubectl refuses the file, and for a client without strict validation the API server drops the fields.";
        "Leave them out until the upgrade.";
        ["autoscaler-command-unknown"]
    ENTRYPOINT_RUNS_HERE "entrypoint-runs-here" C19 Warning:
        "From KubeRay 1.3 on, the submitter's bash interprets the entrypoint. It also interprets `$` and backquotes in runtimeEnvYAML, metadata and entrypointResources. A part of this text then runs or is expanded in the submitter, not in the cluster.";
        "Quote the entrypoint as a whole for a shell: `bash -c '…'`. Nothing hides `$` and backquotes in the other fields: leave them out, or submit with submissionMode: HTTPMode.";
        ["submitter", "submitter-as-sidecar", "submitter-runtime-env"]
    ENTRYPOINT_SYNTAX "entrypoint-syntax" C19 Warning:
        "From KubeRay 1.3 on, the entrypoint is part of a command that the submitter's bash runs. Bash can't parse it, so the job is never submitted.";
        "Close every quote, leave operators and comments at the end out, or write `bash -c '…'`.";
        ["entrypoint-with-open-quote"]
    NO_ENTRYPOINT "no-entrypoint" C19 Warning:
        "The RayJob has no entrypoint. `ray job submit --` without a command ends with an error; in HTTPMode, Ray gets an empty command.";
        "Write the entrypoint, or submissionMode: InteractiveMode for jobs that are submitted by hand.";
        ["entrypoint-absent"]
    ENTRYPOINT_LINES "entrypoint-lines" C19 Warning:
        "Up to KubeRay 1.2, the operator splits the entrypoint without a shell, and a backslash at the end of a line becomes an argument with a line break. From 1.3 on, a backslash at the end of the entrypoint becomes an argument with a space.";
        "Write the entrypoint on one line, or as a folded block, `>-`, without backslashes.";
        ["entrypoint-of-two-lines"]
    ENTRYPOINT_LOSES_QUOTES "entrypoint-loses-quotes" C19 Warning:
        "`ray job submit` gets the words without your quotes. Before Ray 2.56 it puts double quotes only around words with spaces. The shell that runs the job then interprets text that your quotes protected.";
        "Hide it from both shells, `\"'a>5'\"`, or use Ray 2.56 or later.";
        ["entrypoint-loses-quotes"]
    RUNTIME_ENV_TYPE "runtime-env-type" C19 Warning:
        "Ray takes only strings in env_vars, and refuses the job or the application.";
        "Put the value in quotes.";
        ["runtime-env-with-a-number"]
    SUBMITTER_ARGS_LOST "submitter-args-lost" C19 Warning:
        "The operator writes the submitter's `command`: up to KubeRay 1.2, these `args` follow those of the entrypoint; from 1.3 on, the operator drops them.";
        "Give the container a `command` of its own, which the operator keeps together with `args`.";
        ["submitter-in-users-template"]
    SUBMITTER_WITHOUT_ID "submitter-without-id" C19 Warning:
        "The operator asks Ray for the job by the id in $RAY_JOB_SUBMISSION_ID; this command lets Ray choose another id, so the operator never finds the job.";
        "Add `--submission-id=$RAY_JOB_SUBMISSION_ID`, in a script that a shell reads.";
        ["submitter-without-submission-id"]
    SUBMISSION_MODE_UNKNOWN "submission-mode-unknown" C19 Warning:
        "This release does not know the submissionMode: the RayCluster runs, and nothing submits the job.";
        "Write K8sJobMode, or a mode of this release: HTTPMode from 1.1 on, InteractiveMode from 1.3 on, SidecarMode from 1.5 on.";
        ["submission-mode-of-a-later-release"]
    NO_DASHBOARD_PORT "no-dashboard-port" C19 Warning:
        "The head's Service has only the ports of this list and of headService, and none is called dashboard: the operator can't reach the dashboard. A RayService never deploys its applications, and a RayJob stays Initializing.";
        "Add `{containerPort: 8265, name: dashboard}`, or leave the list out.";
        []
    NO_SERVE_PORT "no-serve-port" C19 Warning:
        "The head's container lists ports, and none is called serve: the operator creates no Service for the applications of the RayService, reports an error, and stops updating the status.";
        "Add `{containerPort: 8000, name: serve}`, or leave the list out.";
        []
    NO_GCS_PORT "no-gcs-port" C15 Warning:
        "The head's Service has an address of its own and only the ports of this list and of headService. The port by which workers reach the head is not among them: wait-gcs-ready never ends, and no worker starts.";
        "Add `{containerPort: 6379, name: gcs-server}`, or leave the list out.";
        []
    METADATA_DROPPED "metadata-dropped" C19 Warning:
        "In KubeRay 1.5 and 1.6 a RayJob with a clusterSelector submits its job without this metadata.";
        "Upgrade to KubeRay 1.7, or give the metadata in a `command` of the submitter.";
        ["metadata-with-a-selector"]
    RAY_NOT_FIRST "ray-not-first" C20 Warning:
        "The operator treats the first container of a Pod template as the Ray container or the submitter. This first container looks like a sidecar.";
        "Move the container of Ray or of the submitter to the first place.";
        ["sidecar-before-ray"]
    KUBELET_EXPANDS "kubelet-expands" C21 Warning:
        "The kubelet replaces this before bash sees it.";
        "Write `$NAME` or `${NAME}` for bash, and `$$$$` for two dollar signs.";
        ["variables-of-the-kubelet", "variables-before-the-shell"]
    ENV_NOT_EXPANDED "env-not-expanded" C21 Warning:
        "No shell reads this. The kubelet expands only `$(NAME)`; in `env`, NAME must be a variable defined earlier or a variable of a Service. Everything else stays as it is.";
        "Write the whole value, or `$(NAME)`, or leave it to a shell: `export PATH=/opt/bin:$PATH` in the command.";
        ["variables-in-env"]
    LIMITS_END_THE_OPERATOR "limits-end-the-operator" C24 Warning:
        "The operator of KubeRay 1.1.0 panics on a container that has limits but no requests. It restarts and panics again, so it reconciles no Ray object of the cluster.";
        "Give the container requests, or use KubeRay 1.1.1.";
        []
    GROUP_SUSPENDED "group-suspended" C24 Note:
        "The operator creates no Pods for this worker group while its `suspend` is true or, from KubeRay 1.4 on, while its `numOfHosts` is 0.";
        "To get workers, leave suspend and numOfHosts out.";
        ["suspended-worker-group"]
    GROUP_NAME_TWICE "group-name-twice" C24 Warning:
        "The operator counts the Pods of a worker group by its name: groups with the same name share their Pods, so one of them gets no Pods or too few. Only KubeRay's webhook refuses such groups.";
        "Give every worker group a name of its own.";
        ["group-name-twice"]
    ENV_OVERWRITTEN "env-overwritten" C08 Warning:
        "The operator adds a variable with this name after yours, and the last one wins.";
        "Leave it out.";
        ["env-order-and-duplicates"]
    PARAMETER_TYPE "parameter-type" C29 Warning:
        "Ray's command line rejects the value and exits.";
        "Write a plain number, in bytes for memory, and \"true\" or nothing for a switch.";
        ["ray-option-type", "boolean-parameters"]
    UNKNOWN_RAY_OPTION "unknown-ray-option" C29 Warning:
        "Ray's command line exits with an error, because this release, or `ray start` on a worker, does not have the option.";
        "Write an option of this release of Ray, leave it out, or use a release that has it.";
        ["ray-option-unknown", "parameters-with-metacharacters"]
    UNREADABLE_JSON "unreadable-json" C29 Warning:
        "Ray or the operator reads this as JSON or YAML and reports an error.";
        "Write an object with double quotes, in single quotes where a shell reads it: `'{\"a\": 1}'`.";
        ["ray-option-json"]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_trap_is_told_once_and_in_whole_sentences() {
        let mut ids = BTreeSet::new();
        for trap in TRAPS {
            assert!(ids.insert(trap.id), "{} comes twice", trap.id);
            assert!(trap.text.ends_with('.'), "{}", trap.id);
            assert!(trap.help.ends_with('.'), "{}", trap.id);
            assert!(trap.rule.len() == 3, "{}", trap.id);
            assert!(trap.rule.starts_with('C'), "{}", trap.id);
        }
    }

    const BEGIN: &str = "<!-- traps: written by a test with UPDATE_DOCS=1 -->\n";
    const END: &str = "<!-- end of traps -->\n";

    fn table() -> String {
        let mut text = "\n| id | rule | what happens | shown by |\n|---|---|---|---|\n".to_owned();
        for trap in TRAPS {
            let note = if trap.severity == Severity::Note {
                " (note)"
            } else {
                ""
            };
            let links = trap
                .scenarios
                .iter()
                .map(|name| format!("[`{name}`](../../scenarios/{name}/scenario.yaml)"));
            let links = links.collect::<Vec<_>>().join(", ");
            text.push_str(&format!(
                "| `{}` | {}{note} | {} | {links} |\n",
                trap.id, trap.rule, trap.text
            ));
        }
        text + "\n"
    }

    #[test]
    fn the_documentation_lists_every_trap() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/topics/explain.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("a marker before the table");
        let (_, after) = rest.split_once(END).expect("a marker after the table");
        let current = format!("{before}{BEGIN}{}{END}{after}", table());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &current).unwrap();
        }
        assert!(
            text == current || std::env::var_os("UPDATE_DOCS").is_some(),
            "run the tests once with UPDATE_DOCS=1 and commit {}",
            path.display()
        );
    }
}
