//! What a handler found to a response: status, headers, parts, compression.

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use footfall_protocol::{Code, Fault};
use hyper::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE,
    RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::json;

use super::body::{Body, Content};
use super::io::Busy;
use crate::context::Context;

/// Media type of what people read.
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// Bodies below this many bytes are not compressed.
const PACKED_BYTES_MIN: usize = 1 << 10;
/// What a page of this server may load: nothing but its own styles, images and modules.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors";

/// The same, with whose pages may show it inside their own.
pub(super) fn policy(context: &Context) -> String {
    match context.config.frames.as_slice() {
        [] => format!("{POLICY} 'none'"),
        frames => format!("{POLICY} {}", frames.join(" ")),
    }
}

/// What a handler found.
pub(super) struct Found {
    pub(super) status: StatusCode,
    pub(super) media: &'static str,
    pub(super) content: Content,
    /// Names the bytes, or with `W/` what they mean.
    pub(super) etag: Option<String>,
    /// Whether a part may be asked for.
    pub(super) has_ranges: bool,
    pub(super) headers: Vec<(HeaderName, String)>,
}

impl Found {
    /// Bytes of a media type.
    pub(super) fn new(media: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            media,
            content: Content::Whole(bytes.into()),
            etag: None,
            has_ranges: false,
            headers: Vec::new(),
        }
    }

    /// A value as JSON.
    pub(super) fn json(value: &impl serde::Serialize) -> Result<Self, Fault> {
        let mut bytes = serde_json::to_vec(value)
            .map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        bytes.push(b'\n');
        Ok(Self::new("application/json", bytes))
    }

    /// What the client has already.
    pub(super) fn not_modified(etag: String) -> Self {
        Self {
            status: StatusCode::NOT_MODIFIED,
            etag: Some(etag),
            ..Self::new("", Bytes::new())
        }
    }

    /// Says that the content is a part of so many bytes; an empty one is none that can be had.
    pub(super) fn say_part(&mut self, range: &Range<u64>, len: u64) {
        let said = if range.is_empty() {
            self.status = StatusCode::RANGE_NOT_SATISFIABLE;
            format!("bytes */{len}")
        } else {
            self.status = StatusCode::PARTIAL_CONTENT;
            format!("bytes {}-{}/{len}", range.start, range.end - 1)
        };
        self.headers.push((CONTENT_RANGE, said));
    }

    pub(super) fn with_etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }
}

/// The status of a code.
pub(super) fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Proto | Code::Syntax => StatusCode::BAD_REQUEST,
        Code::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Auth => StatusCode::UNAUTHORIZED,
        Code::Denied => StatusCode::FORBIDDEN,
        Code::Unknown | Code::NotFound => StatusCode::NOT_FOUND,
        Code::Limit | Code::Timeout | Code::Cancelled => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Busy => StatusCode::TOO_MANY_REQUESTS,
        Code::Io | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A fault as JSON, with the request's number to find it in the log.
pub(super) fn fault(fault: &Fault, number: u64) -> Found {
    if matches!(fault.code, Code::Io | Code::Internal) {
        crate::log::failed(number, fault);
    }
    let mut error = json!({"code": fault.code.name(), "text": fault.text, "request": number});
    if let Some(fields) = error.as_object_mut() {
        for (name, value) in fault.fields.iter() {
            fields.insert(name.to_owned(), value.into());
        }
    }
    let mut bytes = json!({"error": error}).to_string().into_bytes();
    bytes.push(b'\n');
    let mut found = Found::new("application/json", bytes);
    found.status = status_of(fault.code);
    match fault.code {
        Code::Auth => {
            let schemes = "Bearer realm=\"footfall\", Basic realm=\"footfall\", charset=\"UTF-8\"";
            found.headers.push((WWW_AUTHENTICATE, schemes.to_owned()));
        }
        Code::Busy => found.headers.push((RETRY_AFTER, "1".to_owned())),
        _ => {}
    }
    found
}

/// A method that a path has not.
pub(super) fn wrong_method(allowed: &str, number: u64) -> Found {
    let refusal = Fault::new(Code::Syntax, format!("this path takes {allowed}"));
    let mut found = fault(&refusal, number);
    found.status = StatusCode::METHOD_NOT_ALLOWED;
    found.headers.push((ALLOW, allowed.to_owned()));
    found
}

/// The response to a request.
pub(super) fn respond(
    mut found: Found,
    (request, is_head, policy): (&HeaderMap, bool, &str),
    number: u64,
    busy: Busy,
) -> Response<Body> {
    if found.status == StatusCode::OK {
        part(&mut found, request);
    }
    if found.status == StatusCode::OK {
        compress(&mut found, request);
    }
    let mut response = Response::new(());
    *response.status_mut() = found.status;
    let headers = response.headers_mut();
    put(
        headers,
        HeaderName::from_static("x-request-id"),
        &number.to_string(),
    );
    put(
        headers,
        HeaderName::from_static("x-content-type-options"),
        "nosniff",
    );
    // Of a page that tells nobody where it is, a browser does not say that a form is its own.
    put(
        headers,
        HeaderName::from_static("referrer-policy"),
        "same-origin",
    );
    put(
        headers,
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    put(
        headers,
        HeaderName::from_static("content-security-policy"),
        policy,
    );
    put(headers, CACHE_CONTROL, "private, no-cache");
    put(
        headers,
        VARY,
        "Accept, Accept-Encoding, Authorization, Cookie",
    );
    if !found.media.is_empty() {
        put(headers, CONTENT_TYPE, found.media);
    }
    if let Some(etag) = &found.etag {
        put(headers, ETAG, etag);
    }
    if found.has_ranges {
        put(headers, ACCEPT_RANGES, "bytes");
    }
    for (name, value) in &found.headers {
        put(headers, name.clone(), value);
    }
    let mut content = found.content;
    if is_head {
        if let Content::Whole(bytes) = &content {
            put(headers, CONTENT_LENGTH, &bytes.len().to_string());
        }
        content = Content::Withheld;
    }
    response.map(|()| Body::new(content, busy))
}

/// Sets a header; a value that is none is left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a client says that it has what an ETag names.
pub(super) fn has_already(request: &HeaderMap, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Some(known) = text_of(request, &IF_NONE_MATCH) else {
        return false;
    };
    known
        .split(',')
        .any(|tag| tag.trim() == "*" || plain(tag) == plain(etag))
}

/// Leaves the part that was asked for.
fn part(found: &mut Found, request: &HeaderMap) {
    if !found.has_ranges {
        return;
    }
    let Content::Whole(bytes) = &found.content else {
        return;
    };
    let bytes = bytes.clone();
    let asked = asked_part(request, found.etag.as_deref());
    let Some(range) = asked.and_then(|asked| range(asked, bytes.len() as u64)) else {
        return;
    };
    found.say_part(&range, bytes.len() as u64);
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    found.content = Content::Whole(bytes.slice(place(range.start)..place(range.end)));
}

/// The one part that a client asks for, as it says it, if the bytes are those that it means.
pub(super) fn asked_part<'h>(request: &'h HeaderMap, etag: Option<&str>) -> Option<&'h str> {
    let asked = text_of(request, &RANGE)?.strip_prefix("bytes=")?;
    let is_other = text_of(request, &IF_RANGE).is_some_and(|tag| etag != Some(tag));
    (!is_other && !asked.contains(',')).then_some(asked)
}

/// `a-b`, `a-`, `-n` of so many bytes; `None` for what is no range, empty for one outside.
pub(super) fn range(text: &str, len: u64) -> Option<Range<u64>> {
    let (first, last) = text.trim().split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    if first.is_empty() {
        return Some(len.saturating_sub(number(last)?)..len);
    }
    let first = number(first)?;
    let end = match last {
        "" => len,
        last => number(last)?.saturating_add(1).min(len),
    };
    if !last.is_empty() && end <= first && first < len {
        return None;
    }
    Some(first.min(end)..end)
}

/// An encoding of bodies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Packing {
    Zstd,
    Gzip,
}

impl Packing {
    /// The best of those that an `Accept-Encoding` takes most gladly.
    fn of(accepted: &str) -> Option<Self> {
        let quality = |name: &str| {
            let of = |one: &str| {
                let (known, quality) = one.split_once(';').unwrap_or((one, ""));
                let quality = quality.trim().replace(' ', "");
                let quality = match quality.strip_prefix("q=") {
                    Some(quality) => quality.parse().unwrap_or(0.0),
                    None => 1.0_f64,
                };
                known.trim().eq_ignore_ascii_case(name).then_some(quality)
            };
            accepted.split(',').find_map(of).unwrap_or(0.0)
        };
        match (quality("zstd"), quality("gzip")) {
            (zstd, gzip) if zstd > 0.0 && zstd >= gzip => Some(Self::Zstd),
            (_, gzip) if gzip > 0.0 => Some(Self::Gzip),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    fn pack(self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(bytes, zstd::DEFAULT_COMPRESSION_LEVEL),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }
}

/// Compresses what is worth it, if the client takes it.
fn compress(found: &mut Found, request: &HeaderMap) {
    let Content::Whole(bytes) = &found.content else {
        return;
    };
    let accepted = text_of(request, &ACCEPT_ENCODING).unwrap_or_default();
    let Some(packing) = Packing::of(accepted).filter(|_| bytes.len() >= PACKED_BYTES_MIN) else {
        return;
    };
    if let Ok(packed) = packing.pack(bytes) {
        found.content = Content::Whole(packed.into());
        let name = packing.name().to_owned();
        found.headers.push((CONTENT_ENCODING, name));
        // Other bytes have another name.
        found.has_ranges = false;
        if let Some(etag) = found.etag.take() {
            let plain = etag.trim_start_matches("W/").to_owned();
            found.etag = Some(format!("W/{plain}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_bytes() {
        for (text, want) in [
            ("0-0", Some(0..1)),
            ("2-", Some(2..10)),
            ("-3", Some(7..10)),
            ("-30", Some(0..10)),
            ("4-99", Some(4..10)),
            ("10-", Some(10..10)),
            ("10-20", Some(10..10)),
            ("-0", Some(10..10)),
            ("5-4", None),
            ("a-b", None),
            ("-", None),
            ("99999999999999999999999-", Some(10..10)),
        ] {
            assert_eq!(range(text, 10), want, "{text}");
        }
    }

    #[test]
    fn an_encoding_is_one_that_is_taken() {
        for (accepted, want) in [
            ("", None),
            ("br", None),
            ("gzip", Some(Packing::Gzip)),
            ("gzip, deflate, br, zstd", Some(Packing::Zstd)),
            ("ZSTD;q=0.5, gzip;q=0.9", Some(Packing::Gzip)),
            ("zstd; q=0, gzip", Some(Packing::Gzip)),
            ("gzip;q=0.0", None),
            ("gzip;q=x", None),
        ] {
            assert_eq!(Packing::of(accepted), want, "{accepted}");
        }
    }

    #[test]
    fn an_etag_is_known_with_or_without_its_weakness() {
        let mut headers = HeaderMap::new();
        assert!(!has_already(&headers, "W/\"a\""));
        headers.insert(IF_NONE_MATCH, "\"b\", \"a\"".parse().unwrap());
        assert!(has_already(&headers, "W/\"a\"") && !has_already(&headers, "W/\"c\""));
    }
}
