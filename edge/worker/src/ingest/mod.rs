//! Ingestion: fetching, reading and indexing what a bot is to know.
//!
//! `ingest_do` is the Durable Object, `job` one step of one source, `document`, `feed` and `crawl` the kinds of sources.

mod cleanup;
mod crawl;
mod crawl_context;
mod crawl_page;
mod document;
mod embed;
mod feed;
mod fetch_page;
mod index;
mod ingest_do;
mod job;
mod parse_page;
mod robots;
mod step;
mod store;
mod store_crawl;
