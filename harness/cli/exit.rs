//! The exit codes of the command line.

/// Everything passed.
pub(crate) const PASSED: u8 = 0;
/// A scenario failed, or pending snapshots could not be accepted.
pub(crate) const FAILED: u8 = 1;
/// Bad use, or a bad scenario file.
pub(crate) const BAD_USE: u8 = 2;
/// The environment failed.
pub(crate) const ENVIRONMENT: u8 = 3;
