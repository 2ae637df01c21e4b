//! `ETag`, `If-Match` and `If-None-Match` ([RFC 9110, section 13](https://www.rfc-editor.org/rfc/rfc9110#section-13))
//! over versions that count up.

use bulle_protocol::problem::{Code, Problem};

/// The `ETag` of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Whether a field of the form `*` or `"1", "2"` matches the version. A `W/` prefix is ignored: a proxy between client
/// and Worker makes ETags weak when it compresses, and a version is the same for every encoding.
pub fn covers(field: &str, version: u64) -> bool {
    let wanted = etag(version);
    field.split(',').map(str::trim).any(|tag| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || strong == wanted
    })
}

/// The `If-Match` of a change.
///
/// # Errors
/// `precondition_required`.
pub fn required(if_match: Option<&str>) -> Result<&str, Problem> {
    if_match.ok_or_else(|| {
        Problem::new(
            Code::PreconditionRequired,
            "Send the ETag of what you have read as If-Match, so that nobody's change is lost; or \"If-Match: *\" to \
             change it whatever it is now.",
        )
    })
}

/// The problem when the version is not the one that the client has read.
pub fn failed() -> Problem {
    Problem::new(
        Code::PreconditionFailed,
        "It is no longer what your If-Match says. Read it again, and send the ETag of that answer as it is, with its \
         quotes.",
    )
}
