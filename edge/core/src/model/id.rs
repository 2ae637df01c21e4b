//! Ids that owners choose, of tenants and bots.

/// Longest id, in characters.
pub const MAX_ID: usize = 40;

/// Whether the text can be the id of a tenant or a bot.
pub fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_ID
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || b == b'-')
}
