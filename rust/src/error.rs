//! The one error type: where it happened, what was found, what was expected.
//!
//! Every message is a single line that a user can act on without reading the source. The variant tells a program
//! what kind of fault it was (the Python package maps each variant to one exception class); the fields tell a person
//! where to look. A panic is a bug, never a way to report input.
//!
//! The display form is the whole message: place, then finding, then expectation or remedy, separated by `;`. Errors are made
//! where the fault is found, with what is known there; [`Error::in_file`] and [`Error::on_line`] add file and line further
//! up, so that code which works on sequences in memory knows nothing of files.

use std::path::{Path, PathBuf};

/// An error, with its place, the finding and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to open, read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file, or `-` for a standard stream.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// A sequence file is not what its format demands.
    #[error("{}, line {line}: {reason}", path.display())]
    Fasta {
        /// The file, or `-` for standard input.
        path: PathBuf,
        /// The line, counted from 1, after decompression.
        line: u64,
        /// What was found, what was expected, and what to do.
        reason: String,
    },

    /// A file as a whole cannot be used: empty, damaged, cut short, of an unknown version.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },

    /// A symbol that the sequence may not hold.
    #[error("{}record {}, position {position}: {} {reason}", in_front(file.as_deref(), *line), quote(record), show_byte(*byte))]
    Symbol {
        /// The file, if the sequence came from one.
        file: Option<PathBuf>,
        /// The symbol's line in the file, counted from 1, where that is known.
        line: Option<u64>,
        /// The record's name, or what stands for it.
        record: String,
        /// The symbol's position in the record, counted from 0.
        position: u64,
        /// The symbol.
        byte: u8,
        /// Why it is refused and what to do.
        reason: String,
    },

    /// A vocabulary or merge list contradicts itself or its use.
    #[error("{}: {reason}", path.as_deref().unwrap_or(Path::new("vocabulary")).display())]
    Vocabulary {
        /// The file it was read from, if any.
        path: Option<PathBuf>,
        /// What is wrong and what to do.
        reason: String,
    },

    /// An argument is outside its rule.
    #[error("{name}={value}: {rule}")]
    Argument {
        /// The argument's name.
        name: &'static str,
        /// The value given.
        value: String,
        /// The rule it breaks, and what to give instead.
        rule: String,
    },

    /// The work needs more than the machine or the caller allows.
    #[error("not enough {what}: {needed} needed, {available} available")]
    Resource {
        /// What is short: memory, identifiers, positions.
        what: &'static str,
        /// How much is needed.
        needed: u64,
        /// How much there is.
        available: u64,
    },

    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// The result of everything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An I/O error at `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// A format error at `line` of `path`.
    pub fn fasta(path: impl AsRef<Path>, line: u64, reason: impl Into<String>) -> Self {
        Self::Fasta { path: path.as_ref().to_path_buf(), line, reason: reason.into() }
    }

    /// A file that cannot be used as a whole.
    pub fn file(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().to_path_buf(), reason: reason.into() }
    }

    /// A vocabulary that cannot be used.
    pub fn vocabulary(reason: impl Into<String>) -> Self {
        Self::Vocabulary { path: None, reason: reason.into() }
    }

    /// Whether it is an interrupt, which the caller requested.
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Self::Interrupted)
    }

    /// The same error, at the file that the vocabulary or the sequence was read from.
    #[must_use]
    pub fn in_file(self, file: impl AsRef<Path>) -> Self {
        match self {
            Self::Vocabulary { reason, .. } => {
                Self::Vocabulary { path: Some(file.as_ref().to_path_buf()), reason }
            }
            Self::Symbol { line, record, position, byte, reason, .. } => {
                Self::Symbol { file: Some(file.as_ref().to_path_buf()), line, record, position, byte, reason }
            }
            other => other,
        }
    }

    /// The same error, on the line that `line_of` returns for the symbol's position in its record. Other errors stay as
    /// they are.
    #[must_use]
    pub fn on_line(mut self, line_of: impl FnOnce(u64) -> u64) -> Self {
        if let Self::Symbol { line, position, .. } = &mut self {
            *line = Some(line_of(*position));
        }
        self
    }

    /// An argument outside its rule.
    pub fn argument(name: &'static str, value: &(impl ToString + ?Sized), rule: impl Into<String>) -> Self {
        Self::Argument { name, value: value.to_string(), rule: rule.into() }
    }
}

/// Text of a user or a file for a message: quoted, on one line, at most 60 characters.
pub(crate) fn show_text(text: &str) -> String {
    const MAX_CHARACTERS: usize = 60;
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}...", quote(&text[..end])),
        None => quote(text),
    }
}

/// Text in quotes, without control characters. A backslash stays single, since names of bytes that are no text are
/// copied from messages.
pub(crate) fn quote(text: &str) -> String {
    format!("{text:?}").replace(r"\\", r"\")
}

/// A byte as a person reads it: `'L'`, or `byte 0x00` where it cannot be printed.
pub fn show_byte(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("{:?}", char::from(byte)) } else { format!("byte 0x{byte:02x}") }
}

/// The file and the line, as the start of a message about them.
fn in_front(file: Option<&Path>, line: Option<u64>) -> String {
    match (file, line) {
        (None, _) => String::new(),
        (Some(file), None) => format!("{}: ", file.display()),
        (Some(file), Some(line)) => format!("{}, line {line}: ", file.display()),
    }
}
