//! Arguments that name an operator and where it comes from.

use std::path::PathBuf;

use clap::Args;

use super::ArtifactSource;
use crate::operator::Manifests;
use crate::provider::{CustomOperator, EnvtestSpec, OperatorProgram};

/// Where programs and images come from, and the operator that takes the place of a release's own.
#[derive(Debug, Clone, Args)]
pub struct OperatorSource {
    #[command(flatten)]
    pub artifacts: ArtifactSource,
    /// Operator image for kind, instead of the release's
    ///
    /// The nodes must be able to pull it.
    #[arg(long, hide_short_help = true, value_name = "IMAGE")]
    pub operator_image: Option<String>,
    /// Helm chart of the operator for kind: a folder or an archive
    ///
    /// The chart must be structured like KubeRay's public chart kuberay-operator.
    #[arg(long, hide_short_help = true, value_name = "CHART")]
    pub operator_chart: Option<PathBuf>,
    /// Values file for --operator-chart; repeatable
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FILE",
        requires = "operator_chart"
    )]
    pub operator_values: Vec<PathBuf>,
    /// Kustomization of the operator on kind
    #[arg(
        long,
        hide_short_help = true,
        value_name = "DIR",
        conflicts_with = "operator_chart"
    )]
    pub operator_kustomization: Option<PathBuf>,
    #[command(flatten)]
    pub binary: OperatorBinary,
}

/// A program that takes the place of the release's own operator on envtest.
#[derive(Debug, Clone, Args)]
pub struct OperatorBinary {
    /// Operator binary for envtest; --operator names the release whose snapshots it must match
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub operator_binary: Option<PathBuf>,
    /// Folder with the CRDs for --operator-binary; default: the CRDs of the release
    #[arg(
        long,
        hide_short_help = true,
        value_name = "DIR",
        requires = "operator_binary"
    )]
    pub crds: Option<PathBuf>,
}

impl OperatorBinary {
    /// Returns the program; none where the release's own is to run.
    pub fn program(&self) -> Option<OperatorProgram> {
        let program = self.operator_binary.clone()?;
        Some(OperatorProgram {
            program,
            crds: self.crds.clone(),
        })
    }
}

impl OperatorSource {
    /// Returns envtest with these programs.
    pub fn envtest(&self) -> EnvtestSpec {
        EnvtestSpec {
            source: self.artifacts.source(),
            operator: self.binary.program(),
            ..EnvtestSpec::default()
        }
    }

    /// Returns how the operator in a cluster differs from its release's own.
    pub fn custom_operator(&self) -> CustomOperator {
        CustomOperator {
            image: self.operator_image.clone(),
            manifests: self.manifests(),
        }
    }

    /// The operator's manifests that the user brings.
    fn manifests(&self) -> Option<Manifests> {
        let own = self
            .operator_kustomization
            .clone()
            .map(Manifests::Kustomization);
        own.or_else(|| {
            self.operator_chart.clone().map(|chart| Manifests::Chart {
                chart,
                values: self.operator_values.clone(),
            })
        })
    }
}
