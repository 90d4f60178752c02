//! A user agent to its template and session id, and back.
//!
//! The Hub's clients send a new `session_id/<32 hex>` in every session. Kept in the dictionary each
//! would be an entry; so the first one is cut out, its place marked by NUL, which no log line has.

const MARK: &str = "session_id/";
const HEX_LEN: usize = 32;

/// Cuts the first session id (32 lower-case hex digits that end the component) out of `agent`.
///
/// Gives the template's two halves around the id, and the id; `None` when there is no session id.
#[must_use]
pub fn split(agent: &str) -> Option<(&str, [u8; 16], &str)> {
    let at = agent.find(MARK)? + MARK.len();
    let digits = agent.get(at..at + HEX_LEN)?;
    let after = agent.get(at + HEX_LEN..)?;
    if !(after.is_empty() || after.starts_with(';')) {
        return None;
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.as_bytes().as_chunks::<2>().0) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some((&agent[..at], id, after))
}

/// The user agent of a template and the session id that was cut out of it.
#[must_use]
pub fn join(template: &str, session: Option<[u8; 16]>) -> String {
    match (template.split_once('\0'), session) {
        (Some((before, after)), Some(id)) => {
            let mut agent = String::with_capacity(template.len() + HEX_LEN);
            agent.push_str(before);
            for byte in id {
                agent.push(digit(byte >> 4));
                agent.push(digit(byte & 15));
            }
            agent.push_str(after);
            agent
        }
        _ => template.to_owned(),
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn digit(nibble: u8) -> char {
    char::from(if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let id = "0123456789abcdef0123456789abcdef";
        for agent in [
            format!("transformers/4.44.0; session_id/{id}; torch/2"),
            format!("a/1; session_id/{id}"),
        ] {
            let (before, session, after) = split(&agent).unwrap();
            let template = format!("{before}\0{after}");
            assert!(!template.contains(id));
            assert_eq!(join(&template, Some(session)), agent);
        }
        for agent in [
            "a/1; session_id/0123".to_owned(),
            format!("a/1; session_id/{}", id.to_uppercase()),
            format!("a/1; session_id/{id}0"),
            "é; session_id/ééééééééééééééééééé".to_owned(),
        ] {
            assert_eq!(split(&agent), None, "{agent}");
        }
    }
}
