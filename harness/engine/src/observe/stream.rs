//! Watches that need one request where the API server can send what there is as the beginning of a
//! watch.

use futures::stream::{self, BoxStream, StreamExt as _};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch_with};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// Watches what `config` selects: with a streaming list, and with a list and a watch where the API
/// server (before Kubernetes 1.34, mostly) refuses that. Errors are told, and it goes on after a
/// pause.
pub fn watch<K>(
    api: Api<K>,
    config: watcher::Config,
) -> BoxStream<'static, watcher::Result<Event<K>>>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let streaming = watch_with(api.clone(), config.clone().streaming_lists()).default_backoff();
    let listing = watch_with(api, config).default_backoff();
    unless_refused(streaming.boxed(), listing.boxed())
}

/// Waits until the object of this name is there (or is not), as `wanted` says of what is known of
/// it.
///
/// # Errors
/// When the API server refuses the watch.
pub async fn until<K>(
    api: Api<K>,
    name: &str,
    wanted: impl Fn(Option<&K>) -> bool,
) -> watcher::Result<()>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut events = watch(api, config);
    let mut found = None;
    while let Some(event) = events.next().await {
        match event? {
            // Only the end of the list tells that something is not there.
            Event::Init => {
                found = None;
                continue;
            }
            Event::InitApply(object) | Event::Apply(object) => found = Some(object),
            Event::Delete(_) => found = None,
            Event::InitDone => {}
        }
        if wanted(found.as_ref()) {
            return Ok(());
        }
    }
    Ok(())
}

fn unless_refused<K: Send + 'static>(
    streaming: BoxStream<'static, watcher::Result<Event<K>>>,
    listing: BoxStream<'static, watcher::Result<Event<K>>>,
) -> BoxStream<'static, watcher::Result<Event<K>>> {
    stream::unfold(
        (streaming, Some(listing)),
        |(mut current, mut other)| async move {
            loop {
                let item = current.next().await?;
                match item {
                    Err(error) if other.is_some() && is_refusal(&error) => {
                        current = other.take()?;
                    }
                    item => return Some((item, (current, other))),
                }
            }
        },
    )
    .boxed()
}

/// Whether the API server does not know, or not allow, what a streaming list asks for.
fn is_refusal(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => {
            matches!(status.code, 400 | 422)
        }
        watcher::Error::WatchError(status) => matches!(status.code, 400 | 422),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use kube::core::Status;

    use super::*;

    fn failure(code: u16) -> watcher::Error {
        let mut status = Status::failure("no", "Invalid");
        status.code = code;
        watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(status)))
    }

    async fn seen(code: u16) -> Vec<&'static str> {
        let streaming =
            stream::iter([Ok(Event::Init), Err(failure(code)), Ok(Event::Init)]).boxed();
        let listing = stream::iter([Ok(Event::Init), Ok(Event::InitDone)]).boxed();
        let events = unless_refused::<Pod>(streaming, listing);
        let told = |event| match event {
            Ok(Event::Init) => "init",
            Ok(Event::InitDone) => "done",
            Ok(_) => "other",
            Err(_) => "error",
        };
        events.map(told).collect().await
    }

    #[tokio::test]
    async fn a_server_that_refuses_streaming_lists_is_asked_for_a_list() {
        assert_eq!(seen(422).await, ["init", "init", "done"]);
        assert_eq!(seen(400).await, ["init", "init", "done"]);
    }

    #[tokio::test]
    async fn another_error_is_told_and_changes_nothing() {
        assert_eq!(seen(500).await, ["init", "error", "init"]);
        assert_eq!(seen(403).await, ["init", "error", "init"]);
    }
}
