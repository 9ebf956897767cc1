//! The command contract of each KubeRay release, as a table of dated features and the behaviour classes that follow.
