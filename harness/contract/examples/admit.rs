//! Prints what refuses objects: reads one JSON object a line, and writes one JSON list of refusals
//! a line.
//!
//! ```text
//! cargo run -p kuberay-contract --example admit -- 1.6.2 < objects.jsonl
//! ```

use std::io::BufRead;

use kuberay_contract::{Clients, FieldValidation, admit};
use serde_json::json;

fn main() {
    let release = std::env::args()
        .nth(1)
        .expect("give a release such as 1.6.2");
    let release = release.parse().expect("a release such as 1.6.2");
    for line in std::io::stdin().lock().lines() {
        let object: serde_json::Value =
            serde_json::from_str(&line.expect("read a line")).expect("a JSON object");
        let refusals = admit(&release, &object).refusals;
        let refusals = refusals.iter().map(|refusal| {
            json!({
                "stage": refusal.stage.word(),
                "path": refusal.path,
                "message": refusal.message,
                "strict": refusal.clients.refuses(FieldValidation::Strict),
                "warn": refusal.clients.refuses(FieldValidation::Warn),
                "all": refusal.clients == Clients::All,
            })
        });
        println!("{}", refusals.collect::<serde_json::Value>());
    }
}
