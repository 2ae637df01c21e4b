//! Exponential backoff with jitter for reconnecting.

/// Automatic tries; after that the bubble offers a retry button.
pub(crate) const MAX_TRIES: u32 = 8;

/// Milliseconds before try number `tries` (from 1): 0.5, 1, 2, 4, then 8 seconds, with a jitter of half either
/// way so that visitors who lost the same edge do not reconnect at the same instant.
pub(crate) fn delay_ms(tries: u32, random: u64) -> u64 {
    let base = 500_u64 << tries.saturating_sub(1).min(4);
    base / 2 + random % base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_eight_seconds_within_the_spread() {
        for (tries, base) in [
            (0, 500),
            (1, 500),
            (2, 1000),
            (4, 4000),
            (5, 8000),
            (99, 8000),
        ] {
            for random in [0, 1, u64::MAX, 12_345_678_901_234_567] {
                let delay = delay_ms(tries, random);
                assert!(
                    delay >= base / 2 && delay < base / 2 + base,
                    "{tries} {delay}"
                );
            }
        }
    }
}
