//! The command contract of each KubeRay release, as a table of dated behaviour classes.

mod classes;

pub use classes::*;
