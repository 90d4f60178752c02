//! Values to a CSV line: RFC 4180, minimal quoting, LF.

use super::{TailFields, status};
use crate::plan::HeaderSet;
use crate::row::request_type;
use crate::visit::Verb;

pub(super) fn header(set: HeaderSet, out: &mut Vec<u8>) {
    let names = match set {
        HeaderSet::V0 => {
            "timestamp,requestType,repoName,repoType,hashedUserId,hashedIp,country,region,isInternal\n"
        }
        HeaderSet::V1 => {
            "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n"
        }
        HeaderSet::V2 => {
            "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region,userAgent\n"
        }
    };
    out.extend_from_slice(names.as_bytes());
}

/// The fields before the repo, each with its comma.
pub(super) fn head(set: HeaderSet, time: &[u8], verb: Verb, out: &mut Vec<u8>) {
    out.extend_from_slice(time);
    out.push(b',');
    if set == HeaderSet::V0 {
        out.extend_from_slice(request_type(verb.method, verb.status).as_bytes());
    } else {
        out.extend_from_slice(&status(verb.status));
        out.push(b',');
        out.extend_from_slice(verb.method.as_bytes());
    }
    out.push(b',');
}

/// The repo and all after it.
pub(super) fn tail(set: HeaderSet, fields: &TailFields<'_>, out: &mut Vec<u8>) {
    value(fields.repo.name.as_bytes(), out);
    out.push(b',');
    value(fields.repo.repo_type.as_bytes(), out);
    out.push(b',');
    out.extend_from_slice(fields.user.as_ref().map_or(&[], |hash| hash.as_slice()));
    out.push(b',');
    out.extend_from_slice(fields.ip.as_ref().map_or(&[], |hash| hash.as_slice()));
    out.push(b',');
    value(fields.place.country.as_bytes(), out);
    out.push(b',');
    value(fields.place.region.as_bytes(), out);
    match set {
        HeaderSet::V0 => {
            out.extend_from_slice(if fields.internal { b",true" } else { b",false" });
        }
        HeaderSet::V1 => {}
        HeaderSet::V2 => {
            out.push(b',');
            value(fields.agent, out);
        }
    }
    out.push(b'\n');
}

fn value(text: &[u8], out: &mut Vec<u8>) {
    if !text
        .iter()
        .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
    {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_quoted() {
        let quoted = |text: &str| {
            let mut out = Vec::new();
            value(text.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(quoted("Côte d'Ivoire"), "Côte d'Ivoire");
        assert_eq!(quoted("Washington, D.C."), "\"Washington, D.C.\"");
        assert_eq!(quoted("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(quoted(""), "");
    }
}
