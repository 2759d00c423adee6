//! What is said about a configuration: where, how bad, and what would be right.

use crate::yaml::Position;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The filter refuses the configuration.
    Error,
    /// It is allowed, but probably not meant.
    Warning,
}

/// Something about a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// What kind of finding it is: stable, in kebab-case, for those who sort them.
    pub(crate) rule: &'static str,
    /// The file's name, as it was given.
    pub(crate) file: String,
    pub(crate) at: Position,
    /// The path of the field in the filter's configuration, or in the file.
    pub(crate) path: String,
    pub(crate) sentence: String,
}
