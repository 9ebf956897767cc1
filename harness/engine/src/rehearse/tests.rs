//! Comparisons on constructed observations.
