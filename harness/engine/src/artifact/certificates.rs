//! Certificates of authorities, from bundles in PEM.

use reqwest::Certificate;

use super::error::causes;

/// The certificates of a bundle in PEM, one by one.
pub(super) fn certificates(bundle: &str) -> Result<Vec<String>, String> {
    const END: &str = "-----END CERTIFICATE-----";
    let parts = bundle
        .split_inclusive(END)
        .filter(|part| part.ends_with(END));
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    if parts.is_empty() {
        return Err("it contains no certificate in PEM".into());
    }
    for part in &parts {
        let read = Certificate::from_pem(part.as_bytes());
        read.map_err(|error| format!("a certificate can't be read: {}", causes(&error)))?;
    }
    Ok(parts)
}
