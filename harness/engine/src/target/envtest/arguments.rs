//! The arguments of etcd and kube-apiserver.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::certificates::{ADDRESS, Credentials};

/// Admission plugins that would wait for a controller that does not run here: no service account is
/// ever made.
const WITHOUT_CONTROLLER: &str = "ServiceAccount";

fn flag(name: &str, value: impl AsRef<std::ffi::OsStr>) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}

/// etcd that keeps its data in a folder for as long as it runs, and no longer.
pub(super) fn etcd(
    data: &Path,
    client: u16,
    peer: u16,
    credentials: &Credentials,
) -> Vec<OsString> {
    let address = |port: u16| format!("https://{ADDRESS}:{port}");
    let (client, peer) = (address(client), address(peer));
    let mut arguments = vec![
        flag("name", "default"),
        flag("data-dir", data),
        // What a power failure would lose is thrown away anyway.
        "--unsafe-no-fsync".into(),
        flag("listen-client-urls", &client),
        flag("advertise-client-urls", &client),
        flag("listen-peer-urls", &peer),
        flag("initial-advertise-peer-urls", &peer),
        flag("initial-cluster", format!("default={peer}")),
        flag("log-level", "warn"),
        // A RayCluster and its Pods may be large, and nothing is ever compacted away in the minutes
        // that it lives.
        flag("quota-backend-bytes", (4_u64 << 30).to_string()),
    ];
    for of in ["", "peer-"] {
        arguments.extend([
            flag(&format!("{of}cert-file"), &credentials.certificate),
            flag(&format!("{of}key-file"), &credentials.key),
            flag(&format!("{of}trusted-ca-file"), &credentials.authority),
            format!("--{of}client-cert-auth").into(),
        ]);
    }
    arguments
}

/// Where in etcd the API server of this name keeps its CRDs.
pub(super) fn crds_of(name: &str) -> String {
    format!(
        "{}/apiextensions.k8s.io/customresourcedefinitions/",
        prefix(name)
    )
}

fn prefix(name: &str) -> String {
    format!("/{name}")
}

/// The authorization mode of an API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authorization {
    /// Every request with our certificate is allowed, and no other certificate is accepted. Roles
    /// would change nothing, and the built-in ones take most of an API server's start.
    Everything,
    /// Roles, for tests of permissions: our certificate is an administrator's, and may impersonate
    /// others.
    Roles,
}

impl Authorization {
    fn mode(self) -> &'static str {
        match self {
            Self::Everything => "AlwaysAllow",
            Self::Roles => "RBAC",
        }
    }
}

/// The policy and the file of an API server's audit log.
pub(super) struct Audit {
    /// The file with the policy.
    pub(super) policy: PathBuf,
    /// The file that gets a line of JSON for each request.
    pub(super) log: PathBuf,
}

/// Every request is noted once, when it has ended, without what was sent.
pub(super) const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
";

/// The arguments with which an API server notes requests.
pub(super) fn audit(audit: &Audit) -> [OsString; 2] {
    [
        flag("audit-policy-file", &audit.policy),
        flag("audit-log-path", &audit.log),
    ]
}

/// An API server that keeps its objects below its name in an etcd that others use, too.
pub(super) fn api_server(
    port: u16,
    etcd: u16,
    name: &str,
    authorization: Authorization,
    credentials: &Credentials,
) -> Vec<OsString> {
    vec![
        flag("bind-address", ADDRESS),
        flag("advertise-address", ADDRESS),
        flag("secure-port", port.to_string()),
        flag("tls-cert-file", &credentials.certificate),
        flag("tls-private-key-file", &credentials.key),
        flag("client-ca-file", &credentials.authority),
        flag("etcd-servers", format!("https://{ADDRESS}:{etcd}")),
        flag("etcd-prefix", prefix(name)),
        flag("etcd-cafile", &credentials.authority),
        flag("etcd-certfile", &credentials.certificate),
        flag("etcd-keyfile", &credentials.key),
        flag("service-account-issuer", "https://kubernetes.default.svc"),
        flag("service-account-key-file", &credentials.account_public_key),
        flag("service-account-signing-key-file", &credentials.account_key),
        flag("service-cluster-ip-range", "10.96.0.0/16"),
        flag("allow-privileged", "true"),
        flag("disable-admission-plugins", WITHOUT_CONTROLLER),
        flag("authorization-mode", authorization.mode()),
        flag("anonymous-auth", "false"),
        flag("endpoint-reconciler-type", "none"),
        flag("enable-priority-and-fairness", "false"),
        // Each new namespace's first Pod is looked up among them. From a watch cache where nothing
        // else changes, a consistent answer takes up to 100 ms (progressRequestPeriod, Kubernetes
        // 1.34), which held an operator to 10 RayClusters a second.
        flag("watch-cache-sizes", "limitranges#0"),
        flag("profiling", "false"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(arguments: &[OsString]) -> Vec<String> {
        arguments
            .iter()
            .map(|one| one.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn only_loopback_is_served_and_only_to_who_shows_our_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = Credentials::make(folder.path()).unwrap();
        let etcd = texts(&etcd(Path::new("/d/etcd"), 1001, 1002, &credentials));
        for wanted in [
            "--data-dir=/d/etcd",
            "--listen-client-urls=https://127.0.0.1:1001",
            "--listen-peer-urls=https://127.0.0.1:1002",
            "--initial-cluster=default=https://127.0.0.1:1002",
            "--client-cert-auth",
            "--peer-client-cert-auth",
        ] {
            assert!(
                etcd.iter().any(|one| one == wanted),
                "{wanted} is not in {etcd:?}"
            );
        }
        let server = texts(&api_server(
            1003,
            1001,
            "1.6.2",
            Authorization::Everything,
            &credentials,
        ));
        for wanted in [
            "--bind-address=127.0.0.1",
            "--secure-port=1003",
            "--etcd-servers=https://127.0.0.1:1001",
            "--etcd-prefix=/1.6.2",
            "--anonymous-auth=false",
            "--disable-admission-plugins=ServiceAccount",
        ] {
            assert!(
                server.iter().any(|one| one == wanted),
                "{wanted} is not in {server:?}"
            );
        }
        let open = |one: &&String| one.contains("://") && !one.contains("https://");
        assert_eq!(etcd.iter().chain(&server).find(open), None);
    }
}
