//! Values to a JSON object a line, plain or wrapped as `{"_source":{…}}`.
//!
//! Plain lines write absent values as `null`; wrapped ones leave them out and call the timestamp
//! `@timestamp`, as search engines export it.

use super::{TailFields, status};
use crate::plan::HeaderSet;
use crate::row::request_type;
use crate::visit::Verb;

/// The fields before the repo, each with its comma.
pub(super) fn head(set: HeaderSet, wrapped: bool, time: &[u8], verb: Verb, out: &mut Vec<u8>) {
    let open: &[u8] = if wrapped {
        b"{\"_source\":{\"@timestamp\":\""
    } else {
        b"{\"timestamp\":\""
    };
    out.extend_from_slice(open);
    out.extend_from_slice(time);
    if set == HeaderSet::V0 {
        out.extend_from_slice(b"\",\"requestType\":\"");
        out.extend_from_slice(request_type(verb.method, verb.status).as_bytes());
    } else {
        out.extend_from_slice(b"\",\"status\":");
        out.extend_from_slice(&status(verb.status));
        out.extend_from_slice(b",\"method\":\"");
        out.extend_from_slice(verb.method.as_bytes());
    }
    out.extend_from_slice(b"\",");
}

/// The repo and all after it.
pub(super) fn tail(set: HeaderSet, wrapped: bool, fields: &TailFields<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"repoName\":");
    string(fields.repo.name.as_bytes(), out);
    out.extend_from_slice(b",\"repoType\":");
    string(fields.repo.repo_type.as_bytes(), out);
    let mut field = |name: &str, text: &[u8]| {
        if text.is_empty() && wrapped {
            return;
        }
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        match text {
            [] => out.extend_from_slice(b"null"),
            text => string(text, out),
        }
    };
    field(
        "hashedUserId",
        fields.user.as_ref().map_or(&[], |hash| hash.as_slice()),
    );
    field(
        "hashedIp",
        fields.ip.as_ref().map_or(&[], |hash| hash.as_slice()),
    );
    field("country", fields.place.country.as_bytes());
    field("region", fields.place.region.as_bytes());
    match set {
        HeaderSet::V0 => {
            out.extend_from_slice(b",\"isInternal\":");
            out.extend_from_slice(if fields.internal { b"true" } else { b"false" });
        }
        HeaderSet::V1 => {}
        HeaderSet::V2 => field("userAgent", fields.agent),
    }
    out.extend_from_slice(if wrapped { b"}}\n" } else { b"}\n" });
}

/// No text that is generated has control characters.
fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        let mut out = Vec::new();
        string("a \"b\" \\ ñ".as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#""a \"b\" \\ ñ""#);
    }
}
