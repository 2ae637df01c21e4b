//! Ingestion: the Durable Object that fetches, reads and indexes what a bot is to know, and its steps.

mod crawl;
mod document;
mod embed;
mod feed;
mod fetch_page;
mod ingest_do;
mod parse_page;
mod store;

pub use ingest_do::ANNOUNCED_MS;
