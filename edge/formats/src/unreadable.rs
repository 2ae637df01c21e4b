//! Why a file cannot be read.

use std::fmt;

/// Why a file cannot be read, as a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreadableCode {
    /// The file needs a password.
    Encrypted,
    /// The file can be opened, but has no text: pictures of text, an empty page, an application.
    NoText,
    /// The file is broken, or was not received whole.
    Corrupt,
    /// The file, or its unpacked content, is over a limit.
    TooLarge,
    /// A format that this crate does not read.
    Unsupported,
    /// Its content contradicts its name or type, and a guess could be wrong.
    Mislabelled,
    /// A format that only the command-line import reads.
    UseTheCommandLine,
}

impl UnreadableCode {
    /// Every code.
    pub const ALL: [Self; 7] = [
        Self::Encrypted,
        Self::NoText,
        Self::Corrupt,
        Self::TooLarge,
        Self::Unsupported,
        Self::Mislabelled,
        Self::UseTheCommandLine,
    ];

    /// The stable name, `too_large`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::NoText => "no_text",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::Mislabelled => "mislabelled",
            Self::UseTheCommandLine => "use_the_command_line",
        }
    }
}

impl fmt::Display for UnreadableCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a file cannot be read, and what a person can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Unreadable {
    /// The reason as a code, for programs.
    pub code: UnreadableCode,
    /// A sentence for the owner: what is wrong, and what to do. It quotes nothing of the file.
    pub detail: String,
}

impl Unreadable {
    /// A reason with this code.
    pub fn new(code: UnreadableCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { code, detail }
    }

    pub(crate) fn encrypted(detail: impl Into<String>) -> Self {
        Self::new(UnreadableCode::Encrypted, detail)
    }

    pub(crate) fn no_text(detail: impl Into<String>) -> Self {
        Self::new(UnreadableCode::NoText, detail)
    }

    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        Self::new(UnreadableCode::Corrupt, detail)
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(UnreadableCode::TooLarge, detail)
    }

    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(UnreadableCode::Unsupported, detail)
    }

    pub(crate) fn mislabelled(detail: impl Into<String>) -> Self {
        Self::new(UnreadableCode::Mislabelled, detail)
    }
}
