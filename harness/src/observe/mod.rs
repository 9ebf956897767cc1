//! Observation: one watch cache for each namespace, logs, events and the dashboard.
