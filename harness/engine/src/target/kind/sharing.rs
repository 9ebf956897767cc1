//! The images that are unpacked before the nodes are made.

use super::making::RegistryPlan;
use super::{KindCluster, TASK, UpOptions};
use crate::target::error::ClusterError;
use crate::target::state::{ClusterRecord, CreatedItem};
use crate::target::unpacked::{self, Shared, Unpack, Unpacker};
use crate::target::{push, registry};

impl KindCluster {
    /// Unpacks what is wanted, unless that was done before. Where it can't be done, nodes do it for
    /// themselves.
    pub(super) async fn share(
        &self,
        state: &mut ClusterRecord,
        start: Option<&RegistryPlan>,
        options: &UpOptions<'_>,
    ) -> Option<Shared> {
        let (unpack, start) = (options.unpacked?, start?);
        match self.shared(state, start, unpack, options).await {
            Ok(shared) => Some(shared),
            Err(error) => {
                self.progress.line(&format!(
                    "each node unpacks its images itself, because it could not be done for all: {error}"
                ));
                None
            }
        }
    }

    async fn shared(
        &self,
        state: &mut ClusterRecord,
        plan: &RegistryPlan,
        unpack: Unpack<'_>,
        options: &UpOptions<'_>,
    ) -> Result<Shared, ClusterError> {
        let key = unpack.key(options.node_image);
        let wanted = unpack.want(&key).await?;
        if !unpack.folder(&key).is_dir() {
            self.unpack(state, plan, unpack, &key, options).await?;
        }
        if let Err(error) = unpack.keep_few(&key) {
            self.progress.line(&format!("warning: {error}"));
        }
        Ok(Shared {
            folder: unpack.folder(&key),
            node_image: unpacked::bare(&self.engine, options.node_image).await?,
            _wanted: wanted,
        })
    }

    async fn unpack(
        &self,
        state: &mut ClusterRecord,
        (start, socket, helper): &RegistryPlan,
        unpack: Unpack<'_>,
        key: &str,
        options: &UpOptions<'_>,
    ) -> Result<(), ClusterError> {
        self.progress
            .update(TASK, "unpacking the images of its nodes");
        registry::ensure(&self.engine, start, socket, helper).await?;
        if let Some(place) = &state.registry {
            for image in unpack.images {
                push::push(&self.engine, image, place.port, &place.notes()).await?;
            }
        }
        let container = format!("{}-unpacker", self.name);
        let made = CreatedItem::Unpacker {
            container: container.clone(),
        };
        self.file().record(state, made.clone())?;
        let by = Unpacker {
            engine: &self.engine,
            node_image: &options.node_image.local_name,
            container: &container,
            network: &self.name,
            instance: &state.instance,
        };
        let address = registry::address(&self.engine, start).await?;
        let unpacked = unpack.make(&by, key, &address).await;
        // Where only the engine's client has failed, the container runs on.
        self.remover().one(state, &made).await?;
        Ok(unpacked?)
    }
}
