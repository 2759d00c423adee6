//! Workflow commands of GitHub Actions: one line for each finding, which its lines are annotated with.

use super::{level, message};
use crate::finding::Finding;

pub(super) fn command(finding: &Finding) -> String {
    format!(
        "::{} file={},line={},col={},title={}::{}",
        level(finding.severity),
        property(&finding.file),
        finding.at.line,
        finding.at.column,
        property(&format!("jwt-warden: {}", finding.rule)),
        data(&message(finding))
    )
}

/// What the runner takes for the end of the line, or for its own escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// In front of the message, colons and commas end a property, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;

    #[test]
    fn nothing_in_it_is_another_command() {
        assert_eq!(
            command(&outcome().findings[0]),
            "::error file=a dir/b%2Cc%3Ad%25.yaml,line=2,col=3,title=jwt-warden%3A mistake::providers.acme.isuer: is not a \
             field%0Aof 100 %25"
        );
    }
}
