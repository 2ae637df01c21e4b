//! Language: how a text is folded, cut, counted, compared and recognised, whatever its script.
//!
//! There is one implementation of each, and everything that reads text uses it: search, topics, claims, the cache of
//! answers, the prompt and the readers of files. The crate depends on no platform and on no other crate of the project.

pub mod amounts;
pub mod calendar;
pub mod contact;
pub mod document;
pub mod fold;
pub mod identity;
pub mod kin;
pub mod kind;
pub mod language;
pub mod polarity;
pub mod prefix;
pub mod script;
pub mod sentences;
pub mod slug;
pub mod stem;
pub mod stop;
pub mod tokens;
pub mod visible;
pub mod words;

pub use document::Document;
pub use identity::identity;
pub use prefix::prefix;
pub use sentences::sentences;
pub use slug::slug;
pub use tokens::tokens;
pub use visible::visible;
