//! The texts of a constructed report.
