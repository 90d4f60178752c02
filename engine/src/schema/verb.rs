//! Method and status to what they say about a request.

/// What kind of request it was. The first match counts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Any method, 206.
    Partial,
    /// Any method, 304.
    NotModified,
    /// Any method, 400 and above.
    Error,
    /// `HEAD`.
    Probe,
    /// `GET` 200.
    Fetch,
    /// `GET` 301, 302, 303, 307, 308.
    Redirect,
    /// All else.
    Other,
}

impl Class {
    /// The class of a request.
    #[must_use]
    pub fn of(method: &str, status: u16) -> Self {
        match (status, method) {
            (206, _) => Self::Partial,
            (304, _) => Self::NotModified,
            (400.., _) => Self::Error,
            (_, "HEAD") => Self::Probe,
            (200, "GET") => Self::Fetch,
            (301 | 302 | 303 | 307 | 308, "GET") => Self::Redirect,
            _ => Self::Other,
        }
    }

    /// As written in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::NotModified => "not_modified",
            Self::Error => "error",
            Self::Probe => "probe",
            Self::Fetch => "fetch",
            Self::Redirect => "redirect",
            Self::Other => "other",
        }
    }
}

/// How strongly a request shows that content was handed out; a download has its requests' strongest.
///
/// Ordered: a greater value is stronger.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Evidence {
    /// Nothing but checks.
    Check,
    /// `GET` 301, 307, 308 or `HEAD` 302, 303: perhaps.
    Unclear,
    /// `GET` 200, 206, 302, 303.
    Content,
}

impl Evidence {
    /// All, weakest first.
    pub const ALL: [Self; 3] = [Self::Check, Self::Unclear, Self::Content];

    /// The sign that one request gives.
    #[must_use]
    pub fn of(method: &str, status: u16) -> Self {
        match (method, status) {
            ("GET", 200 | 206 | 302 | 303) => Self::Content,
            ("GET", 301 | 307 | 308) | ("HEAD", 302 | 303) => Self::Unclear,
            _ => Self::Check,
        }
    }

    /// As written in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Unclear => "unclear",
            Self::Content => "content",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_matches_counts() {
        assert_eq!(Class::of("HEAD", 206), Class::Partial);
        assert_eq!(Class::of("HEAD", 404), Class::Error);
        assert_eq!(Class::of("HEAD", 302), Class::Probe);
        assert_eq!(Class::of("POST", 200), Class::Other);
        assert_eq!(Class::of("GET", 304), Class::NotModified);
    }
}
