//! The causes that are no traps of a manifest: each with its rule, its scenarios, and what to do.

/// A cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub id: &'static str,
    /// The rule of the contract behind it.
    pub rule: Option<&'static str>,
    /// The problem and its cause, in one sentence.
    pub text: &'static str,
    /// The remedy.
    pub help: &'static str,
    /// Scenarios that show it.
    pub scenarios: &'static [&'static str],
}

macro_rules! causes {
    ($($constant:ident $id:literal $rule:expr, $text:literal; $help:literal; [$($scenario:literal),*])+) => {
        $(
            #[doc = $text]
            pub const $constant: Cause = Cause {
                id: $id,
                rule: $rule,
                text: $text,
                help: $help,
                scenarios: &[$($scenario),*],
            };
        )+
        /// Every cause.
        pub static CAUSES: &[&Cause] = &[$(&$constant),+];
    };
}

causes! {
    RAY_NOT_IN_PATH "ray-not-in-path" Some("C10"),
        "The shell does not find `ray`, because the container's PATH does not include its folder.";
        "Set PATH in the command, such as `export PATH=/opt/venv/bin:$PATH`.";
        ["path-set-by-a-profile", "path-reset-in-a-login-shell"]
    COMMAND_NOT_FOUND "command-not-found" Some("C10"),
        "The shell of the container does not find a command.";
        "Write its full path, or set PATH in the command.";
        ["path-set-by-a-profile"]
    COMMAND_ENDS "command-ends" Some("C03"),
        "The container's command ended by itself, and Ray is not running.";
        "Read the command of the container: part of it ends the shell before `ray start --block`.";
        ["exit-ends-the-container"]
    NOT_EXECUTABLE "not-executable" None,
        "A file that the command names can't be executed.";
        "Make it executable in the image, or run it with its interpreter, such as `bash FILE`.";
        []
    RAY_NOT_STARTED "ray-not-started" Some("C03"),
        "The container runs, but a command before `ray start` has not returned yet.";
        "Find the command that has not returned. Run a command that never ends in the background: `(command &)`.";
        []
    PROBE_KILLS_SLOW_START "probe-kills-slow-start" Some("C16"),
        "The liveness probe kills the container before Ray is up.";
        "Give the container a startupProbe or a livenessProbe with a larger initialDelaySeconds.";
        ["probe-of-the-user-restarts", "probes"]
    PROBE_FAILS "probe-fails" Some("C16"),
        "Ray runs, but the readiness probe of its container fails.";
        "Correct the probe, or remove it: the operator then adds a probe that queries Ray.";
        ["probe-of-the-user-fails"]
    PROBE_NEEDS_WGET "probe-needs-wget" Some("C16"),
        "The operator's probe runs `wget`, which the image does not have.";
        "Add wget to the image, give the container probes of its own, or use KubeRay 1.6 with \
         rayVersion 2.53 or later.";
        ["probes"]
    POST_START_HOOK_FAILS "post-start-hook-fails" Some("C17"),
        "The postStart hook of the container fails, and the kubelet kills the container.";
        "Make the hook wait for Ray and exit with code 0.";
        ["post-start-hook-fails"]
    POST_START_HOOK_WAITS "post-start-hook-waits" Some("C17"),
        "The postStart hook of the container has not returned, so the container is not ready.";
        "Run slow commands of the hook in the background.";
        ["post-start-hook-takes-long"]
    WAIT_WITHOUT_RAY "wait-gcs-ready-without-ray" Some("C15"),
        "wait-gcs-ready runs `ray health-check` in the worker's image, which has no `ray` in its \
         PATH.";
        "Use an image with Ray in its PATH, or give the operator \
         ENABLE_INIT_CONTAINER_INJECTION=false.";
        ["wait-gcs-ready", "worker-without-ray"]
    WAIT_OUT_OF_MEMORY "wait-gcs-ready-out-of-memory" Some("C15"),
        "wait-gcs-ready has a limit of 256 MiB. `ray health-check` of this image needs more, and the kernel kills it.";
        "Give the operator ENABLE_INIT_CONTAINER_INJECTION=false; the limit can't be changed.";
        ["wait-gcs-ready"]
    HEAD_NAME "head-name-not-resolved" Some("C15"),
        "The worker can't resolve the name of the head's Service.";
        "Give the operator CLUSTER_DOMAIN with the domain of the cluster, and check its DNS.";
        ["cluster-domain", "wait-gcs-ready"]
    NETWORK_POLICY "network-policy" Some("C15"),
        "A NetworkPolicy blocks traffic from the worker to the head or to DNS.";
        "Allow the port 6379 of the head, and port 53 of the cluster's DNS.";
        []
    HEAD_UNREACHABLE "head-unreachable" Some("C15"),
        "The head is ready, but the worker can't reach its GCS.";
        "Check the head's Service, its port, and network filters between the two Pods.";
        ["wait-gcs-ready"]
    WAITS_FOR_HEAD "waits-for-head" Some("C15"),
        "The worker waits for the head.";
        "Diagnose the head first.";
        ["wait-gcs-ready"]
    INIT_FAILS "init-container-fails" None,
        "An init container of the Pod template fails, so that Ray is not started.";
        "Read its log, and correct its command.";
        []
    SIDE_FAILS "side-container-fails" None,
        "A sidecar container ends with an error.";
        "Read its log, and correct its command.";
        []
    IMAGE_NOT_FOUND "image-not-found" None,
        "The image is not in its registry.";
        "Check its name and tag, and whether it may be pulled without a password.";
        []
    IMAGE_PULL_FAILS "image-pull-fails" None,
        "The image can't be pulled.";
        "Check that the node reaches the registry, and imagePullSecrets.";
        []
    CONTAINER_CONFIG "container-config" None,
        "The container can't be created, because an object that it refers to is missing.";
        "Create the ConfigMap, Secret or volume that the message names, or correct its name.";
        []
    CONTAINER_START "container-start" None,
        "The container runtime can't start the container's command.";
        "Use an image that has the program. All commands that the operator generates need /bin/bash.";
        []
    NO_CAPACITY "no-capacity" None,
        "No node has enough free capacity for the Pod.";
        "Lower its requests, or add nodes.";
        []
    TOO_LARGE "too-large" None,
        "The Pod asks for more than the largest node has.";
        "Lower its requests, or add a larger node.";
        []
    UNSCHEDULABLE "unschedulable" None,
        "No node accepts the Pod, for a reason other than its requests.";
        "Compare its nodeSelector, affinity, tolerations and volumes with the nodes.";
        []
    QUOTA "quota" None,
        "A ResourceQuota of the namespace does not allow the Pod.";
        "Lower the requests, raise the quota, or add the requests and limits that the quota requires.";
        []
    REFUSED_BY_OPERATOR "refused-by-operator" Some("C24"),
        "The operator refuses the object and creates nothing for it.";
        "Correct the field that the message names.";
        ["refused-name", "refused-redis-address"]
    REFUSED_POD "refused-at-pod-creation" Some("C24"),
        "The API server refuses the Pod that the operator creates for the object.";
        "Correct the field of the Pod template that the message names.";
        []
    REFUSED_BY_WEBHOOK "refused-by-webhook" None,
        "An admission webhook or policy of the cluster refuses the Pod.";
        "Follow the message, or ask the owner of the webhook.";
        []
    SUBMITTER_WAITS "submitter-waits" Some("C19"),
        "The submitter waits for Ray's dashboard, which does not respond.";
        "Check that the head runs its dashboard, and that the submitter's image has python or wget, which the wait uses.";
        ["submitter"]
    SUBMITTER_FAILS "submitter-fails" Some("C19"),
        "The submitter failed.";
        "Read its log. Only the entrypoint runs in the RayCluster; everything else in the command runs in the submitter.";
        ["submitter"]
    JOB_FAILS "job-fails" None,
        "The job ran and failed.";
        "Read the job's log. KubeRay is not the cause.";
        []
    RAY_UNKNOWN_OPTION "ray-unknown-option" Some("C29"),
        "`ray start` does not know an option.";
        "Remove it from rayStartParams, or use a Ray release that has it.";
        []
    RAY_UNEXPECTED_ARGUMENT "ray-unexpected-argument" Some("C14"),
        "`ray start` got words that belong to no option, because the shell split a value.";
        "Put single quotes around the value, inside the YAML string.";
        ["parameters-with-metacharacters"]
    RAY_INVALID_VALUE "ray-invalid-value" Some("C29"),
        "`ray start` refuses the value of an option.";
        "Correct the value in rayStartParams.";
        []
    RAY_ALREADY_RUNNING "ray-already-running" Some("C06"),
        "`ray start` ran twice in the container, and the second call failed.";
        "Leave `ray start` to the operator, or set the whole command with \
         ray.io/overwrite-container-cmd.";
        ["ray-started-twice", "ray-start-as-two-words"]
    RAY_PROCESS_DIED "ray-process-died" None,
        "A process of Ray ended, and `ray start --block` ends with it.";
        "Read the log of that process below /tmp/ray/session_latest/logs.";
        []
    REDIS_UNREACHABLE "redis-unreachable" None,
        "The head can't reach Redis, or Redis refuses its password.";
        "Check the address and the password in gcsFaultToleranceOptions or rayStartParams.";
        ["redis-parameters"]
    RAY_VERSION_MISMATCH "ray-version-mismatch" None,
        "Head and worker run different releases of Ray or Python.";
        "Use the same image for every group.";
        []
    GCS_UNREACHABLE "gcs-unreachable" None,
        "Ray on the worker does not reach the head's GCS.";
        "Look at the head first; then at the port in its rayStartParams.";
        []
    OUT_OF_MEMORY "out-of-memory" None,
        "The kernel killed the container, because it used more memory than its limit.";
        "Raise resources.limits.memory of the container.";
        ["memory-from-limits"]
    OPERATOR_ABSENT "operator-absent" None,
        "No operator of KubeRay runs in the cluster, so no Pods are created.";
        "Install the operator.";
        []
    OPERATOR_DOWN "operator-down" None,
        "The operator is not available, so new and changed objects get no Pods.";
        "Look at its Deployment and at the log of its Pod.";
        ["resources-null-stops-the-operator"]
    NAMESPACE_NOT_WATCHED "namespace-not-watched" None,
        "No operator works on the namespace of the object.";
        "Add the namespace to --watch-namespace of the operator, or create the object elsewhere.";
        []
    OPERATOR_SILENT "operator-silent" None,
        "The operator runs, but it has not processed the object.";
        "Read the operator's log for the name of the object.";
        []
    CRDS_OLDER "crds-older-than-operator" None,
        "The custom resource definitions are older than the operator: the API server \
         drops newer fields of the operator.";
        "Replace the definitions with those of the operator's release; Helm does not upgrade them.";
        []
    STALE_POD "stale-pod" Some("C22"),
        "The object changed after the Pod was created, and the Pod keeps the old values.";
        "Delete the Pod, or set spec.upgradeStrategy.type to Recreate (KubeRay 1.6 and later).";
        ["existing-pods-keep-their-command", "upgrade-strategy-recreate"]
    ANOTHER_WRITER "changed-by-another-writer" None,
        "No release of the operator creates this Pod from the object: another writer changed it.";
        "Look at the webhooks of the cluster, and exclude Ray Pods from the one that changes them.";
        []
    SERVE_APPLICATION_FAILS "serve-application-fails" None,
        "An application of the RayService fails.";
        "Read its message; the RayCluster itself runs.";
        []
    STARTING "starting" None,
        "The object is not ready yet, and nothing is wrong so far.";
        "Wait, and run `doctor` again.";
        []
    UNKNOWN "unknown" None,
        "The object is not ready, and no known cause explains it.";
        "Save a bundle with `--save-bundle FILE`, read it, and attach it to an issue. `doctor` redacts secrets that it recognises.";
        []
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::explain::check::trap;

    #[test]
    fn every_cause_has_its_own_id_whole_sentences_and_scenarios_that_exist() {
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
        let mut ids = BTreeSet::new();
        for cause in CAUSES {
            assert!(ids.insert(cause.id), "{} comes twice", cause.id);
            assert!(trap(cause.id).is_none(), "{} is a trap, too", cause.id);
            assert!(cause.text.ends_with('.'), "{}", cause.id);
            assert!(cause.help.ends_with('.'), "{}", cause.id);
            for scenario in cause.scenarios {
                assert!(
                    scenarios.join(scenario).is_dir(),
                    "{}: {scenario}",
                    cause.id
                );
            }
        }
    }

    #[test]
    fn the_guide_lists_every_cause() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/doctor.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (begin, end) = (
            "<!-- causes: written by a test with UPDATE_DOCS=1 -->\n",
            "<!-- end of causes -->\n",
        );
        let (before, rest) = text.split_once(begin).expect("a marker before the table");
        let (_, after) = rest.split_once(end).expect("a marker after the table");
        let mut table = "\n| id | what is wrong | what to do |\n|---|---|---|\n".to_owned();
        for cause in CAUSES {
            table.push_str(&format!(
                "| `{}` | {} | {} |\n",
                cause.id, cause.text, cause.help
            ));
        }
        let current = format!("{before}{begin}{table}\n{end}{after}");
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
