//! Networks: the engine's, which is ours alone, and that of Pods, for node images that bring none.

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Node;
use serde_json::json;

use super::error::ClusterError;
use super::kind_config::POD_SUBNET;
use super::node;
use crate::container::Engine;
use crate::process;

/// The label of what we make; its value is the instance of the state file.
pub(super) const INSTANCE_LABEL: &str = "kuberay-conformance.instance";

/// Makes the engine's network that nodes and registry share.
pub(super) async fn create(
    engine: &Engine,
    name: &str,
    instance: &str,
) -> Result<(), ClusterError> {
    let mut create = engine.command();
    create.args([
        "network",
        "create",
        "--driver=bridge",
        "--label",
        &format!("{INSTANCE_LABEL}={instance}"),
        name,
    ]);
    process::output(create, "making a network for the cluster", process::CHANGE).await?;
    Ok(())
}

/// Names of the engine's networks; all, or those that we made.
pub(super) async fn list(
    engine: &Engine,
    instance: Option<&str>,
) -> Result<Vec<String>, ClusterError> {
    let mut list = engine.command();
    list.args(["network", "ls", "--format", "{{.Name}}"]);
    if let Some(instance) = instance {
        list.args(["--filter", &format!("label={INSTANCE_LABEL}={instance}")]);
    }
    node::lines(list, "listing networks").await
}

/// A node as its network needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeAddresses {
    /// Name of the node and of its container.
    pub(super) name: String,
    /// Its address on the engine's network.
    pub(super) address: String,
    /// The addresses of its Pods.
    pub(super) pods: String,
}

impl NodeAddresses {
    /// `None` as long as the controllers have not given the node its part of the Pods' addresses.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let addresses = node.status.as_ref()?.addresses.as_ref()?;
        Some(Self {
            name: node.metadata.name.clone()?,
            address: addresses
                .iter()
                .find(|address| address.type_ == "InternalIP")?
                .address
                .clone(),
            pods: node.spec.as_ref()?.pod_cidr.clone()?,
        })
    }
}

/// Connects the Pods of all nodes: the CNI configuration in each node, and in each a route to every
/// other.
pub(super) async fn connect(engine: &Engine, places: &[NodeAddresses]) -> Result<(), ClusterError> {
    try_join_all(places.iter().map(|place| {
        let conflist = conflist(&place.pods);
        let routes = routes(place, places);
        async move {
            let arguments = [
                place.pods.as_str(),
                POD_SUBNET,
                routes.as_str(),
                conflist.as_str(),
            ];
            node::script(
                engine,
                &place.name,
                CONNECT,
                &arguments,
                "setting the Pods' network up",
                process::CHANGE,
            )
            .await
        }
    }))
    .await?;
    Ok(())
}

/// The configuration comes last: with it the node becomes Ready.
const CONNECT: &str = r#"
masquerade="POSTROUTING -s $1 ! -d $2 -j MASQUERADE"
iptables -w -t nat -C $masquerade 2>/dev/null || iptables -w -t nat -A $masquerade
printf '%s' "$3" | while read -r pods address; do ip route replace "$pods" via "$address"; done
printf '%s' "$4" > /etc/cni/net.d/.10-pods && mv /etc/cni/net.d/.10-pods /etc/cni/net.d/10-pods.conflist
"#;

fn routes(place: &NodeAddresses, places: &[NodeAddresses]) -> String {
    let others = places.iter().filter(|other| other.name != place.name);
    others
        .map(|other| format!("{} {}\n", other.pods, other.address))
        .collect()
}

/// Pods get their addresses from the node's own part, and keep them on the way to other nodes'
/// Pods.
fn conflist(pods: &str) -> String {
    json!({
        "cniVersion": "0.3.1",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni-ipam-state",
                    "ranges": [[{"subnet": pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u8) -> NodeAddresses {
        NodeAddresses {
            name: format!("n{number}"),
            address: format!("10.89.0.{number}"),
            pods: format!("10.244.{number}.0/24"),
        }
    }

    #[test]
    fn each_node_has_a_route_to_every_other() {
        let places = [place(1), place(2), place(3)];
        assert_eq!(
            routes(&places[1], &places),
            "10.244.1.0/24 10.89.0.1\n10.244.3.0/24 10.89.0.3\n"
        );
        assert_eq!(routes(&places[0], &places[..1]), "");
    }

    #[test]
    fn pods_get_addresses_of_their_node() {
        let value: serde_json::Value = serde_json::from_str(&conflist("10.244.7.0/24")).unwrap();
        assert_eq!(
            value["plugins"][0]["ipam"]["ranges"][0][0]["subnet"],
            "10.244.7.0/24"
        );
    }

    #[test]
    fn a_node_has_no_place_before_it_has_pod_addresses() {
        let mut node: Node = serde_json::from_value(json!({
            "metadata": {"name": "n1"},
            "spec": {},
            "status": {"addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "10.89.0.1"}]},
        }))
        .unwrap();
        assert_eq!(NodeAddresses::of(&node), None);
        node.spec.as_mut().unwrap().pod_cidr = Some("10.244.1.0/24".into());
        assert_eq!(NodeAddresses::of(&node), Some(place(1)));
    }
}
