//! Classifies refusals of the API server by their subject: the object that was sent, or the cluster
//! and the access to it.
//!
//! | answer | about |
//! |---|---|
//! | 400, 405, 413, 422 | the object: it is malformed, of a kind that can't be created, too large or invalid |
//! | a denial by an admission webhook or a `ValidatingAdmissionPolicy`, with any code | the object |
//! | 403 of a built-in admission plugin that names the object, such as `PodSecurity` or `Priority` | the object |
//! | 403 of a quota, of a namespace that is being deleted, before service accounts exist, before the API server is ready | the cluster |
//! | 403 of the authoriser or of a proxy, 401 | the access |
//! | 404, 409 | the cluster: its namespace is gone, or another object has the name |
//! | any other | the cluster |
//!
//! Sources: `apiserver/pkg/admission/errors.go`,
//! `apiserver/pkg/admission/plugin/webhook/errors/statuserror.go`,
//! `apimachinery/pkg/api/errors/errors.go` and
//! `apiserver/pkg/admission/plugin/resourcequota/controller.go`.

use kube::core::Status;

/// What admission plugins of Kubernetes say, as 403 that names the object, of the state of the
/// cluster.
const OF_THE_CLUSTER: [&str; 8] = [
    // ResourceQuota.
    "exceeded quota: ",
    "failed quota: ",
    "insufficient quota to match these scopes",
    "status unknown for quota",
    // NamespaceLifecycle; releases before 1.16 give no cause.
    "because it is being terminated",
    // ServiceAccount.
    "error looking up service account",
    "no api token found for service account",
    // Any plugin whose caches are not filled yet.
    "not yet ready to handle request",
];

/// Whether an answer is the API server's verdict on the object that was sent.
pub(crate) fn is_about_the_object(status: &Status) -> bool {
    if is_denial(&status.message) {
        return true;
    }
    match status.code {
        400 | 405 | 413 | 422 => true,
        403 => is_of_admission(status),
        _ => false,
    }
}

/// Whether a policy of the cluster denied the object. A webhook chooses its code and its reason
/// itself.
fn is_denial(message: &str) -> bool {
    let webhook =
        message.contains("admission webhook \"") && message.contains("\" denied the request");
    let policy =
        message.contains("ValidatingAdmissionPolicy '") && message.contains("denied request: ");
    webhook || policy
}

/// Whether a built-in admission plugin forbids the object by what it holds. The authoriser names no
/// object, because a request to create one has no name in its path; a proxy before the API server
/// sends no details at all.
fn is_of_admission(status: &Status) -> bool {
    let Some(details) = &status.details else {
        return false;
    };
    let message = status.message.to_lowercase();
    let is_terminating = details
        .causes
        .iter()
        .any(|cause| cause.reason == "NamespaceTerminating");
    let is_authoriser = message.contains("user \"") && message.contains("\" cannot ");
    status.reason == "Forbidden"
        && !details.name.is_empty()
        && !is_terminating
        && !is_authoriser
        && !OF_THE_CLUSTER.iter().any(|part| message.contains(part))
}
