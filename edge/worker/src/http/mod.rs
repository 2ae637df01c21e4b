//! Shared code of all handlers: reading requests, writing responses, refusing with a problem.

mod problem;
mod request;
mod response;

pub use problem::{Param, Refusal, limit_headers, status, storage_unavailable};
pub use request::{
    OWN, at_most, header, own_address, parse_json, path_id, query_pairs, read_json, read_text,
    requested,
};
pub use response::{Answer, json, nothing, passed_on, raw};
