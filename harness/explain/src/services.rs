//! Variables that the kubelet makes of Services (`FromServices` in pkg/kubelet/envvars of
//! Kubernetes).

/// Returns whether a container may have a variable of this name because of a Service in its
/// namespace, or of that of the API server. `links` is the Pod's `enableServiceLinks`, without
/// which only the latter counts.
pub(crate) fn may_define(name: &str, links: bool) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if !name.chars().all(fits) {
        return false;
    }
    let service = name.match_indices('_').map(|(at, _)| name.split_at(at));
    let mut service = service.filter(|(service, _)| !service.is_empty());
    service.any(|(service, rest)| is_suffix(rest) && (links || service == "KUBERNETES"))
}

/// The same for a name that hardly anything else has: users call variables of their own
/// `NAME_PORT`, too.
pub(crate) fn likely_defines(name: &str, links: bool) -> bool {
    let own = name.ends_with("_PORT") && !name.ends_with("_SERVICE_PORT");
    (!own || name.contains("_PORT_")) && may_define(name, links)
}

/// Returns whether a text follows the name of a Service in the name of a variable.
fn is_suffix(rest: &str) -> bool {
    if let Some(port) = rest.strip_prefix("_SERVICE_PORT") {
        return port.is_empty() || port.len() > 1 && port.starts_with('_');
    }
    if matches!(rest, "_SERVICE_HOST" | "_PORT") {
        return true;
    }
    let Some(port) = rest.strip_prefix("_PORT_") else {
        return false;
    };
    let end = port.find(|c: char| !c.is_ascii_digit());
    let (number, protocol) = port.split_at(end.unwrap_or(port.len()));
    let protocol = ["_TCP", "_UDP", "_SCTP"]
        .iter()
        .find_map(|one| protocol.strip_prefix(one));
    !number.is_empty()
        && protocol.is_some_and(|rest| matches!(rest, "" | "_PROTO" | "_PORT" | "_ADDR"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("REDIS_SERVICE_HOST", true, false)]
    #[case("MY_DB_SERVICE_PORT", true, false)]
    #[case("MY_DB_SERVICE_PORT_HTTP", true, false)]
    #[case("X_PORT", true, false)]
    #[case("X_PORT_6379_TCP", true, false)]
    #[case("X_PORT_6379_TCP_ADDR", true, false)]
    #[case("X_PORT_6379_TCP_NAME", false, false)]
    #[case("X_PORT_A_TCP", false, false)]
    #[case("KUBERNETES_SERVICE_PORT_HTTPS", true, true)]
    #[case("KUBERNETES_PORT_443_TCP_PROTO", true, true)]
    #[case("KUBERNETES_TOKEN", false, false)]
    #[case("_SERVICE_HOST", false, false)]
    #[case("x_SERVICE_HOST", false, false)]
    #[case("HOME", false, false)]
    fn names(#[case] name: &str, #[case] linked: bool, #[case] always: bool) {
        assert_eq!(may_define(name, true), linked);
        assert_eq!(may_define(name, false), always);
    }

    #[rstest]
    #[case("REDIS_SERVICE_PORT", true)]
    #[case("X_PORT_6379_TCP_PORT", true)]
    #[case("SERVE_PORT", false)]
    fn names_of_nothing_else(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(likely_defines(name, true), expected);
    }
}
