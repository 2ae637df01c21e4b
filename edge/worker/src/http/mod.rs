//! Shared code of all handlers: reading requests, writing responses, refusing with a problem.

mod problem;
mod request;
mod response;

pub use problem::{Param, Refusal, limit_headers, status, storage_unavailable};
pub use request::{OWN, at_most, header, own_origin, path_id, query_pairs, read_json, read_text};
pub use response::{Answer, json, nothing, passed_on, raw};
