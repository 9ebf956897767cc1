//! Downloads from small servers of the test's own. They speak plain HTTP, as a private module proxy
//! may.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use tempfile::TempDir;

use super::*;

const SHORT: Limits = Limits {
    connect: Duration::from_millis(500),
    stall: Duration::from_millis(200),
    whole: Duration::from_secs(20),
    pause: Duration::from_millis(10),
    retries: 2,
};

/// Whether a server keeps connections open after its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Stalls,
    Closes,
}

/// Answers each request with the next of these texts, the last one again and again. Returns the
/// address and the number of requests so far.
fn serve(answers: Vec<String>, after: After) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!(
        "http://127.0.0.1:{}/file",
        listener.local_addr().unwrap().port()
    );
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // It ends with the test program.
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut request = String::new();
            while reader.read_line(&mut request).is_ok_and(|read| read > 2) {}
            let number = count.fetch_add(1, Ordering::SeqCst);
            let answer = &answers[number.min(answers.len() - 1)];
            let mut stream = reader.into_inner();
            stream.write_all(answer.as_bytes()).unwrap();
            if after == After::Stalls {
                open.push(stream);
            }
        }
    });
    (address, asked)
}

fn answer(status: &str, length: usize, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

async fn fetch(url: &str, schemes: Schemes, largest: u64) -> Result<String, String> {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("file");
    let done = download_within(url, &target, schemes, largest, SHORT, &Supply::default()).await;
    done.map_err(|error| error.to_string())?;
    Ok(std::fs::read_to_string(&target).unwrap())
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    let busy = answer("503 Service Unavailable", 4, "wait");
    let (url, asked) = serve(vec![busy, answer("200 OK", 5, "whole")], After::Closes);
    assert_eq!(fetch(&url, Schemes::OfProxies, 5).await, Ok("whole".into()));
    assert_eq!(asked.load(Ordering::SeqCst), 2, "one retry");
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_once() {
    let (url, asked) = serve(vec![answer("404 Not Found", 0, "")], After::Closes);
    let error = fetch(&url, Schemes::OfProxies, 5).await.unwrap_err();
    assert_eq!(
        error,
        format!("downloading {url}: the server answers 404 Not Found")
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_that_stalls_is_left() {
    let (url, asked) = serve(vec![answer("200 OK", 9, "half")], After::Stalls);
    let began = std::time::Instant::now();
    let error = fetch(&url, Schemes::OfProxies, 100).await.unwrap_err();
    assert!(error.contains("timed out"), "{error}");
    assert!(
        began.elapsed() < SHORT.whole,
        "it waited for {:?}",
        began.elapsed()
    );
    assert_eq!(
        asked.load(Ordering::SeqCst),
        3,
        "the first attempt and two retries"
    );
}

#[rstest]
#[case(After::Stalls)]
#[case(After::Closes)]
#[tokio::test]
async fn what_was_cut_is_downloaded_from_its_beginning(#[case] after: After) {
    let (url, _) = serve(
        vec![answer("200 OK", 9, "half"), answer("200 OK", 5, "whole")],
        after,
    );
    assert_eq!(
        fetch(&url, Schemes::OfProxies, 100).await,
        Ok("whole".into())
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let (url, asked) = serve(vec![answer("200 OK", 9, "too large")], After::Closes);
    let error = fetch(&url, Schemes::OfProxies, 8).await.unwrap_err();
    assert!(error.contains("more than 8 bytes"), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "it is not asked for again");
}

#[rstest]
#[case::http("http://127.0.0.1:1/file", Schemes::Https)]
#[case::file("file:///etc/hostname", Schemes::Https)]
#[case::ftp("ftp://127.0.0.1/file", Schemes::OfProxies)]
#[tokio::test]
async fn other_schemes_are_refused(#[case] url: &str, #[case] schemes: Schemes) {
    let error = fetch(url, schemes, 100).await.unwrap_err();
    assert!(error.contains("are not accepted"), "{error}");
}

#[tokio::test]
async fn a_proxy_may_be_a_folder() {
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("a module.zip");
    std::fs::write(&source, "zip").unwrap();
    let url = format!("file://{}", source.display()).replace(' ', "%20");
    assert_eq!(fetch(&url, Schemes::OfProxies, 3).await, Ok("zip".into()));
    let error = fetch(&url, Schemes::OfProxies, 2).await.unwrap_err();
    assert!(error.contains("more than 2 bytes"), "{error}");
}
