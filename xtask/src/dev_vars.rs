//! The Worker's local secrets, in the file that wrangler reads and git ignores.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::compress;

/// Secrets that the Worker needs, generated for this machine, each with its purpose.
const SECRETS: &[(&str, &str)] = &[
    ("SESSION_SECRET", "Signs the visitors' sessions."),
    (
        "ADMIN_KEY",
        "The operator's key to /v1/admin: `Authorization: Bearer …`.",
    ),
    (
        "PASSWORD_PEPPER",
        "Mixed into the passwords of people who sign in: with another one, nobody's is right.",
    ),
];

const HEAD: &str = "\
# Secrets of the local Worker. Never commit this file; in production they are `wrangler secret put NAME`.
";

const TAIL: &str = "
# The model that answers, any server that speaks OpenAI's chat completions.
# OPENAI_API_KEY=\"sk-…\"
# OPENAI_BASE_URL=\"https://api.openai.com/v1\"
# OPENAI_MODEL=\"gpt-4o-mini\"
# Or Anthropic's, or Google's (GEMINI_API_KEY, GEMINI_MODEL).
# ANTHROPIC_API_KEY=\"sk-ant-…\"
# ANTHROPIC_MODEL=\"claude-…\"
";

/// Creates `.dev.vars`, or adds the missing secrets to it; the rest is not changed.
pub fn ensure(path: &Path) -> Result<()> {
    let current = fs::read_to_string(path).ok();
    let Some(text) = complete(current.as_deref(), random_secret)? else {
        return Ok(());
    };
    println!("• .dev.vars, with secrets made up for this machine");
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}

/// The new content of the file; `None` when it is complete.
fn complete(
    current: Option<&str>,
    mut secret: impl FnMut() -> Result<String>,
) -> Result<Option<String>> {
    let is_set = |name: &str| {
        current.unwrap_or_default().lines().any(|line| {
            line.split_once('=')
                .is_some_and(|(known, _)| known.trim() == name)
        })
    };
    let mut text = current.unwrap_or(HEAD).to_owned();
    let mut complete = current.is_some();
    for (name, purpose) in SECRETS.iter().filter(|(name, _)| !is_set(name)) {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("# {purpose}\n{name}=\"{}\"\n", secret()?));
        complete = false;
    }
    if current.is_none() {
        text.push_str(TAIL);
    }
    Ok((!complete).then_some(text))
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

    /// The file after these secrets were added, if they were missing.
    fn completed(current: Option<&str>, secrets: &[&str]) -> Option<String> {
        let mut secrets = secrets.iter();
        complete(current, || Ok((*secrets.next().unwrap()).to_owned())).unwrap()
    }

    #[test]
    fn only_what_is_missing_is_written() {
        let fresh = completed(None, &["abc", "def", "ghi"]).unwrap();
        assert!(fresh.contains("\nSESSION_SECRET=\"abc\"\n"));
        assert!(fresh.contains("\nADMIN_KEY=\"def\"\n"));
        assert_eq!(completed(Some(&fresh), &[]), None);
        let older = "OPENAI_API_KEY=k\nSESSION_SECRET=s";
        let older = completed(Some(older), &["abc", "def"]).unwrap();
        assert!(older.starts_with("OPENAI_API_KEY=k\nSESSION_SECRET=s\n# "));
        assert!(older.contains("\nADMIN_KEY=\"abc\"\n"));
        assert!(older.ends_with("\nPASSWORD_PEPPER=\"def\"\n"));
        // A commented example is not a value.
        let commented = "# SESSION_SECRET=x\nADMIN_KEY=y\n";
        assert!(completed(Some(commented), &["abc", "def"]).is_some());
    }
}
