//! The Worker's local secrets, in the file that wrangler reads and git ignores.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::compress;

const TEMPLATE: &str = "\
# Secrets of the local Worker. Never commit this file; in production they are `wrangler secret put NAME`.
# Signs the visitors' sessions; made up for this machine.
SESSION_SECRET=\"{secret}\"

# The model that answers, any server that speaks OpenAI's chat completions.
# OPENAI_API_KEY=\"sk-…\"
# OPENAI_BASE_URL=\"https://api.openai.com/v1\"
# OPENAI_MODEL=\"gpt-4o-mini\"
";

/// Creates `.dev.vars`, or adds the secret that is missing from it; nothing else is touched.
pub fn ensure(path: &Path) -> Result<()> {
    let current = fs::read_to_string(path).ok();
    let Some(text) = complete(current.as_deref(), &random_secret()?) else {
        return Ok(());
    };
    println!("• .dev.vars, with a session secret");
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}

/// What the file should become; nothing when it is complete.
fn complete(current: Option<&str>, secret: &str) -> Option<String> {
    let Some(current) = current else {
        return Some(TEMPLATE.replace("{secret}", secret));
    };
    let has_secret = current.lines().any(|line| {
        line.split_once('=')
            .is_some_and(|(name, _)| name.trim() == "SESSION_SECRET")
    });
    if has_secret {
        return None;
    }
    let newline = if current.is_empty() || current.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    Some(format!("{current}{newline}SESSION_SECRET=\"{secret}\"\n"))
}

fn random_secret() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("no random numbers from the system: {error}"))?;
    Ok(compress::hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_written() {
        let fresh = complete(None, "abc").unwrap();
        assert!(fresh.contains("SESSION_SECRET=\"abc\"\n"));
        assert_eq!(complete(Some(&fresh), "def"), None);
        assert_eq!(
            complete(Some("OPENAI_API_KEY=k"), "abc").as_deref(),
            Some("OPENAI_API_KEY=k\nSESSION_SECRET=\"abc\"\n")
        );
        // A commented example is not a value.
        assert!(complete(Some("# SESSION_SECRET=x\n"), "abc").is_some());
    }
}
