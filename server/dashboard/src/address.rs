//! Percent-encoded addresses to pairs of texts, and back.

/// The pairs of a query string; what is not valid UTF-8 is replaced.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Text of an address, `+` read as a space.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, hex_pair(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Appends a text, encoded for a path (`/` stays) or a query string.
pub(crate) fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte);
        match byte {
            _ if is_plain => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// Appends a path segment by segment; a space is `%20` there.
pub(crate) fn encode_path(text: &str, out: &mut String) {
    let mut encoded = String::new();
    encode(text, &mut encoded);
    out.push_str(&encoded.replace('+', "%20"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        for text in ["", "a/b", "where x = \"ä & %\" + 1", "100%", "é\u{1F600}"] {
            let mut encoded = String::from("x=");
            encode(text, &mut encoded);
            assert_eq!(pairs(&encoded), [("x".to_owned(), text.to_owned())]);
            let mut path = String::new();
            encode_path(text, &mut path);
            assert_eq!(decoded(&path), text);
        }
    }

    #[test]
    fn broken_escapes_are_text() {
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded("a+b"), "a b");
    }
}
