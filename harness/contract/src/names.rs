//! Names and addresses that the operator derives.

use super::Feature;
use super::feature::Context;
use super::input::{ClusterSpec, Metadata};

/// Stands for the five characters that Kubernetes draws at random.
pub(super) const RANDOM: &str = "xxxxx";

const DEFAULT_PORT: &str = "6379";
const DASHBOARD_PORT: i32 = 8265;

/// The label that names the object which made a RayCluster.
pub(super) const PARENT: &str = "ray.io/originated-from-cr-name";

/// Addresses at which workers and drivers find the head.
#[derive(Debug, Clone)]
pub(super) struct HeadAddress {
    /// Name of the head's service with namespace and domain.
    pub host: String,
    /// Port of the GCS, as text: it comes from rayStartParams.
    pub port: String,
    /// `host:port` of the dashboard.
    pub dashboard: String,
}

impl HeadAddress {
    pub fn new(context: &Context, metadata: &Metadata, spec: &ClusterSpec) -> Self {
        let head = &spec.head_group_spec;
        let named = head
            .head_service
            .as_ref()
            .map(|service| service.metadata.name.as_str());
        let service = match named {
            Some(name) if !name.is_empty() && context.uses(Feature::HeadServiceNamed) => {
                name.to_owned()
            }
            _ => head_service(context, &metadata.name),
        };
        let namespace = namespace(context, metadata);
        let domain = match context.settings.cluster_domain() {
            Some(domain) if context.uses(Feature::ClusterDomain) => domain,
            _ => "cluster.local",
        };
        let host = format!("{service}.{namespace}.svc.{domain}");
        let ports = head
            .template
            .spec
            .containers
            .first()
            .map_or(&[][..], |ray| &ray.ports);
        // The Service has those of `headService` first (`FetchHeadServiceURL`).
        let given = head.head_service.as_ref();
        let given = given.map_or(&[][..], |service| &service.spec.ports);
        let mut ports = given
            .iter()
            .map(|port| (&port.name, port.port))
            .chain(ports.iter().map(|port| (&port.name, port.container_port)));
        let dashboard = ports.find(|(name, _)| *name == "dashboard");
        let dashboard = dashboard.map_or(DASHBOARD_PORT, |(_, port)| port);
        Self {
            dashboard: format!("{host}:{dashboard}"),
            host,
            port: head
                .ray_start_params
                .get("port")
                .map_or(DEFAULT_PORT, String::as_str)
                .into(),
        }
    }

    /// The first part of the host.
    pub fn service(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }

    pub fn gcs(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// `host:port` of the dashboard of a RayCluster of which only the name is known; its head is taken
/// to have the usual Service and port.
pub(super) fn dashboard_of(context: &Context, cluster: &str, job: &Metadata) -> String {
    let service = head_service(context, cluster);
    let namespace = namespace(context, job);
    let domain = context.settings.cluster_domain().unwrap_or("cluster.local");
    format!("{service}.{namespace}.svc.{domain}:{DASHBOARD_PORT}")
}

pub(super) fn namespace<'a>(context: &'a Context, metadata: &'a Metadata) -> &'a str {
    let own = metadata
        .namespace
        .as_deref()
        .filter(|namespace| !namespace.is_empty());
    own.unwrap_or(&context.settings.namespace)
}

/// The name of an object; of one that Kubernetes names, its beginning and a stand-in for the rest.
pub(super) fn name_of(metadata: &Metadata) -> String {
    match &metadata.generate_name {
        Some(start) if metadata.name.is_empty() => format!("{start}{RANDOM}"),
        _ => metadata.name.clone(),
    }
}

/// The name of the RayCluster that a RayJob or RayService makes, where it is not known.
pub(super) fn cluster_of(context: &Context, parent: &str) -> String {
    if context.uses(Feature::ClusterNameLong) {
        return format!("{parent}-raycluster-{RANDOM}");
    }
    context.uses(Feature::ClusterNameShort);
    format!("{parent}-{RANDOM}")
}

fn head_service(context: &Context, cluster: &str) -> String {
    let whole = format!("{cluster}-head-svc");
    if context.has(Feature::HeadServiceShortened) {
        let short = shortened(&whole);
        if short != whole {
            context.uses(Feature::HeadServiceShortened);
        }
        return short;
    }
    context.uses(Feature::HeadServiceWhole);
    whole
}

/// At most the last 50 bytes, and a letter first.
pub(super) fn shortened(name: &str) -> String {
    const LONGEST: usize = 50;
    let mut start = name.len().saturating_sub(LONGEST);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    let rest = &name[start..];
    match rest.chars().next() {
        Some(first) if first.is_ascii_digit() || first.is_ascii_punctuation() => {
            format!("r{}", &rest[1..])
        }
        _ => rest.into(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::shortened;

    #[rstest]
    #[case("a-head-svc", "a-head-svc")]
    #[case("1a-head-svc", "ra-head-svc")]
    #[case(
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeee-head-svc",
        "aaaaaabbbbbbbbbbccccccccccddddddddddeeeee-head-svc"
    )]
    #[case(
        "aaa-aaaaabbbbbbbbbbccccccccccddddddddddeeeee-head-svc",
        "raaaaabbbbbbbbbbccccccccccddddddddddeeeee-head-svc"
    )]
    #[case(
        "aaa1aaaaabbbbbbbbbbccccccccccddddddddddeeeee-head-svc",
        "raaaaabbbbbbbbbbccccccccccddddddddddeeeee-head-svc"
    )]
    fn the_end_of_a_long_name_stays(#[case] name: &str, #[case] short: &str) {
        assert_eq!(shortened(name), short);
    }
}
