//! The text of a file, in the encodings that kubectl reads.

use std::io::{Error, ErrorKind};

/// Returns the text of a file without its byte order mark. The mark selects UTF-16, as PowerShell
/// writes it; other files are UTF-8.
///
/// ```
/// assert_eq!(kuberay_manifest::decode(b"\xff\xfea\0".to_vec())?, "a");
/// assert_eq!(kuberay_manifest::decode(b"\xef\xbb\xbfa".to_vec())?, "a");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the bytes are no text in the encoding.
pub fn decode(bytes: Vec<u8>) -> Result<String, Error> {
    let units = |unit: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2);
        let whole = pairs.remainder().is_empty();
        let units: Vec<u16> = pairs.map(|pair| unit([pair[0], pair[1]])).collect();
        let text = String::from_utf16(&units).ok().filter(|_| whole);
        text.ok_or_else(|| invalid("stream did not contain valid UTF-16"))
    };
    match bytes.get(..2) {
        Some([0xff, 0xfe]) => units(u16::from_le_bytes),
        Some([0xfe, 0xff]) => units(u16::from_be_bytes),
        _ => {
            let text = String::from_utf8(bytes);
            let mut text = text.map_err(|_| invalid("stream did not contain valid UTF-8"))?;
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Ok(text)
        }
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}
