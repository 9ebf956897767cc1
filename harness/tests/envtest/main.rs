//! Tests of the program itself on API servers that it starts.

#![allow(missing_docs, reason = "an integration test has no public interface")]

mod context;
mod custom_operator;
mod diff;
mod doctor;
mod ends;
mod first_hour;
mod meet;
mod new_release;
mod parts;
mod proxied;
mod pull;
mod rehearse;
mod rejected;
mod secrets;
mod slow {
    mod diff;
    mod disk;
    mod fleet;
    mod fuzz;
    mod killed;
    mod proxied;
    mod rehearse;
}
#[allow(dead_code, reason = "each program of tests uses a part of it")]
#[path = "../support/all.rs"]
mod support;
