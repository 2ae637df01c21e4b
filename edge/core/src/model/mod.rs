//! Plain data that ports and stages share, such as tenants, sites, visitors and exchanges. It imports neither ports nor
//! stages.

mod exchange;
mod id;
mod identity;
mod mailer;
mod material;
mod owner;
mod secret;
mod site;

pub use exchange::{Exchange, Summary};
pub use id::{MAX_ID, is_id};
pub use identity::Identity;
pub use mailer::Mailer;
pub use material::Material;
pub use owner::Owner;
pub(crate) use secret::mac;
pub use secret::{MIN_SECRET_BYTES, Secret, verify_mac};
pub use site::Site;
