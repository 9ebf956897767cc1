//! The parts of `ValidateRayClusterSpec` about the autoscaler and authentication.

use super::settings::{AUTOSCALER_V2, ray_env, scales};
use crate::admission::checks::{Checks, OperatorCheck};
use crate::admission::view::View;
use crate::ray_version::{generic, older};

/// Checks `autoscalerOptions`, and the variable of the head that does the same.
pub(super) fn autoscaler(checks: &Checks, spec: &View, prefix: &str) {
    let options = spec.get("autoscalerOptions");
    let version = options.get("version");
    let variable = ray_env(&spec.get("headGroupSpec")).named(AUTOSCALER_V2);
    if let Some(variable) = &variable {
        let value = variable.get("value").text();
        if !scales(spec) && matches!(value, "1" | "true") {
            let message = format!(
                "{prefix}environment variable {AUTOSCALER_V2} cannot be set to '{value}' when \
                 enableInTreeAutoscaling is false. Please set enableInTreeAutoscaling: true to use autoscaler v2"
            );
            checks.refuse(OperatorCheck::AutoscalerV2Unscaled, variable, message);
        }
        if scales(spec) && version.exists() {
            let message = format!(
                "{prefix}both .spec.autoscalerOptions.version and head Pod env var {AUTOSCALER_V2} are set, please \
                 only use the former"
            );
            checks.refuse(OperatorCheck::AutoscalerVersionTwice, variable, message);
        }
    }
    if scales(spec) && version.text() == "v2" {
        let workers = spec.get("workerGroupSpecs").items();
        for group in std::iter::once(spec.get("headGroupSpec")).chain(workers) {
            let at = group.find(&["template", "spec", "restartPolicy"]);
            if matches!(at.text(), "" | "Never") {
                continue;
            }
            let whose = match group.get("groupName").text() {
                "" => "head Pod".to_owned(),
                name => format!("worker group {name}"),
            };
            let message = format!(
                "{prefix}restartPolicy for {whose} should be Never or unset when using autoscaler V2"
            );
            checks.refuse(OperatorCheck::AutoscalerV2Restarts, &at, message);
        }
    }
    let timeout = options.get("idleTimeoutSeconds");
    if let Some(number) = timeout.number().filter(|number| *number < 0) {
        let message = format!(
            "{prefix}autoscalerOptions.idleTimeoutSeconds must be non-negative, got {number}"
        );
        checks.refuse(OperatorCheck::AutoscalerIdleTimeout, &timeout, message);
    }
    if let Some(at) = options.get("env").named("KUBERAY_GEN_AUTOSCALER_START_CMD") {
        let message = format!(
            "{prefix}autoscalerOptions.env must not contain KUBERAY_GEN_AUTOSCALER_START_CMD: it is managed by \
             KubeRay and injected automatically into the autoscaler container"
        );
        checks.refuse(OperatorCheck::ReservedVariable, &at, message);
    }
}

/// Checks `authOptions`.
pub(super) fn authentication(checks: &Checks, spec: &View, prefix: &str) {
    let options = spec.get("authOptions");
    let kubernetes = options.get("enableK8sTokenAuth");
    let at = options.get("mode");
    if at.text() != "token" {
        if kubernetes.is_true() {
            let message = format!(
                "{prefix}authOptions.enableK8sTokenAuth is enabled but authOptions.mode not set to 'token'"
            );
            checks.refuse(OperatorCheck::KubernetesToken, &kubernetes, message);
        }
        return;
    }
    let version = spec.get("rayVersion").text();
    let reason = match generic(version) {
        _ if version.is_empty() => Some(
            "authOptions.mode is 'token' but RayVersion was not specified. Ray version 2.52.0 or later is required"
                .to_owned(),
        ),
        None => Some(format!("authOptions.mode is 'token' but RayVersion format is invalid: {version}")),
        Some(numbers) => older(&numbers, [2, 52, 0]).then(|| {
            format!("authOptions.mode is 'token' but minimum Ray version is 2.52.0, got {version}")
        }),
    };
    if let Some(reason) = reason {
        checks.refuse(
            OperatorCheck::TokenRayVersion,
            &at,
            format!("{prefix}{reason}"),
        );
    } else if kubernetes.is_true() {
        if generic(version).is_some_and(|numbers| older(&numbers, [2, 55, 0])) {
            let message = format!(
                "{prefix}authOptions.enableK8sTokenAuth is enabled but minimum Ray version is 2.55.0, got {version}"
            );
            checks.refuse(OperatorCheck::KubernetesToken, &kubernetes, message);
        }
        if !options.get("secretName").text().is_empty() {
            let message = format!(
                "{prefix}authOptions.enableK8sTokenAuth is enabled and authOptions.secretName is also set"
            );
            checks.refuse(OperatorCheck::KubernetesToken, &kubernetes, message);
        }
    }
}
