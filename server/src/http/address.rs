//! The target of a request to its path's segments and its parameters, without escapes.

/// What a target says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Address {
    /// Segments of the path.
    pub(super) segments: Vec<String>,
    /// Parameters in their order.
    pub(super) parameters: Vec<(String, String)>,
}

impl Address {
    /// From path and query; `None` for escapes that are no text.
    pub(super) fn parse(path: &str, query: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let segments = path.split('/').map(|segment| unescape(segment, false));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(name, true)?, unescape(value, true)?))
        });
        Some(Self {
            segments: segments.collect::<Option<_>>()?,
            parameters: parameters.collect::<Option<_>>()?,
        })
    }
}

fn unescape(text: &str, is_form: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                bytes.push(u8::try_from(value).ok()?);
            }
            b'+' if is_form => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_off() {
        let address = Address::parse("/a%2Fb/c+d", "q=downloads+by%20month&x&=&y=a=b").unwrap();
        assert_eq!(address.segments, ["a/b", "c+d"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let want = [
            pair("q", "downloads by month"),
            pair("x", ""),
            pair("", ""),
            pair("y", "a=b"),
        ];
        assert_eq!(address.parameters, want);
        for wrong in ["%", "%4", "%zz", "%ff", "%+1"] {
            assert_eq!(Address::parse("/", &format!("q={wrong}")), None, "{wrong}");
        }
    }
}
