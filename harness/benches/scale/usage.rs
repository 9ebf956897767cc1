//! What this process and those that it has started use between two moments, and what an API server
//! was asked meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Request;
use kube::Client;

use super::{Failed, processes};

/// An API server that was asked nothing for so long has nothing left to do.
const QUIET: Duration = Duration::from_secs(1);

/// CPU seconds and peaks of memory by program, and requests by verb and resource, since the control
/// plane began.
#[derive(Clone)]
pub struct Usage {
    cpu: BTreeMap<String, f64>,
    peak: BTreeMap<String, u64>,
    now: BTreeMap<String, u64>,
    requests: BTreeMap<String, f64>,
}

impl Usage {
    /// As of now; peaks of memory are counted anew from here.
    pub async fn from_here(client: &Client) -> Result<Self, Failed> {
        let usage = Self::now(client).await?;
        for (id, _) in processes::with_children(std::process::id()) {
            std::fs::write(format!("/proc/{id}/clear_refs"), "5")?;
        }
        Ok(usage)
    }

    async fn now(client: &Client) -> Result<Self, Failed> {
        let own = std::process::id();
        let (mut cpu, mut peak, mut now) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (id, seen) in processes::with_children(own) {
            let kind = if id == own { OWN.to_owned() } else { seen.kind };
            *cpu.entry(kind.clone()).or_default() += seen.cpu;
            *peak.entry(kind.clone()).or_default() += seen.peak;
            *now.entry(kind).or_default() += seen.memory;
        }
        let text = client
            .request_text(Request::get("/metrics").body(Vec::new())?)
            .await?;
        let requests = requests(&text);
        Ok(Self {
            cpu,
            peak,
            now,
            requests,
        })
    }

    /// As of the moment from which nothing was written any more.
    pub async fn when_quiet(client: &Client) -> Result<Self, Failed> {
        let mut last = Self::now(client).await?;
        loop {
            tokio::time::sleep(QUIET).await;
            let now = Self::now(client).await?;
            if now.requests == last.requests {
                return Ok(last);
            }
            last = now;
        }
    }

    /// CPU seconds of a program since `before`.
    pub fn cpu(&self, before: &Self, kind: &str) -> f64 {
        let of = |usage: &Self| usage.cpu.get(kind).copied().unwrap_or_default();
        of(self) - of(before)
    }

    /// CPU seconds of a program since `before`, and its memory then and at most since.
    pub fn told(&self, before: &Self, kind: &str) -> String {
        let of = |map: &BTreeMap<String, u64>| map.get(kind).copied().unwrap_or_default();
        format!(
            "{:.2} s, {} to {} MiB",
            self.cpu(before, kind),
            of(&before.now),
            of(&self.peak)
        )
    }

    /// Requests since `before`, divided by a number: all, and each verb and resource that makes
    /// 0.05 of it or more.
    pub fn requests(&self, before: &Self, number: usize) -> String {
        let since = |(name, count): (&String, &f64)| {
            let each =
                (count - before.requests.get(name).copied().unwrap_or_default()) / as_f64(number);
            (name.clone(), each)
        };
        let mut each: Vec<(String, f64)> = self.requests.iter().map(since).collect();
        let all: f64 = each.iter().map(|(_, each)| each).sum();
        each.retain(|(_, each)| *each >= 0.05);
        each.sort_by(|one, other| other.1.total_cmp(&one.1));
        let shown: Vec<String> = each
            .iter()
            .map(|(name, each)| format!("{name} {each:.1}"))
            .collect();
        format!("{all:.1}: {}", shown.join(", "))
    }
}

/// The kind of this process.
pub const OWN: &str = "this process";

/// Numbers here are far below what a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "counts of a bench")]
pub fn as_f64(number: usize) -> f64 {
    number as f64
}

/// How often each resource was asked for by each verb, whatever came of it.
fn requests(metrics: &str) -> BTreeMap<String, f64> {
    let mut requests = BTreeMap::new();
    for line in metrics.lines() {
        let Some((labels, count)) = line
            .strip_prefix("apiserver_request_total{")
            .and_then(|rest| rest.rsplit_once("} "))
        else {
            continue;
        };
        let label = |name: &str| {
            let start = labels
                .split(',')
                .find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""))?;
            Some(start.trim_end_matches('"'))
        };
        let resource = label("resource").unwrap_or_default();
        // Health, metrics and discovery are not asked for a cluster; a lease is kept all the time.
        if matches!(resource, "" | "leases") {
            continue;
        }
        let part = label("subresource").filter(|part| !part.is_empty());
        let name = match part {
            Some(part) => format!("{} {resource}/{part}", label("verb").unwrap_or_default()),
            None => format!("{} {resource}", label("verb").unwrap_or_default()),
        };
        *requests.entry(name).or_default() += count.parse::<f64>().unwrap_or_default();
    }
    requests
}
