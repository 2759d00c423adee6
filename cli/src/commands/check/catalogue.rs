//! What `check` can find: the identifiers, which stay, and what each means.

/// Something that can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lint {
    pub(super) id: &'static str,
    /// What is wrong or doubtful about it, in general.
    pub(super) about: &'static str,
}

macro_rules! lints {
    ($list:ident: $($name:ident $id:literal $about:literal;)*) => {
        $(pub(super) const $name: Lint = Lint { id: $id, about: $about };)*
        pub(super) const $list: &[Lint] = &[$($name,)*];
    };
}

lints! { ERRORS:
    MISTAKE "mistake" "The filter refuses the configuration.";
    UNREADABLE "unreadable" "The file is neither YAML nor JSON.";
}

lints! { LINTS:
    ABSENT_VARIABLE "absent-variable" "A variable that the configuration names is not known here: it was not looked at.";
    ANY_AUDIENCE "any-audience" "Tokens that were issued for other services are accepted.";
    ANY_ISSUER "any-issuer" "Tokens of every issuer whose keys are in the set are accepted.";
    CLUSTER_WITHOUT_TLS "cluster-without-tls" "Keys are fetched in the clear from an https URI: its cluster speaks no TLS.";
    CSRF_DISABLED "csrf-disabled" "Pages of other sites can make a browser send the token in its cookies.";
    DEFAULT_MAX_STALE "default-max-stale" "How long keys serve while their server is down is left to the default.";
    EXPIRATION_OPTIONAL "expiration-optional" "Tokens without `exp` are accepted for ever.";
    FAIL_OPEN "fail-open" "Requests pass unverified when the filter fails.";
    HMAC_BESIDE_ASYMMETRIC "hmac-beside-asymmetric" "Shared secrets and public keys serve one provider.";
    ISTIO_CLUSTER_NAME "istio-cluster-name" "Istio's clusters are called `outbound|port||host`.";
    LONG_LIFETIME "long-lifetime" "Tokens that are valid for more than a day are accepted.";
    NO_CONFIGURATION "no-configuration" "A file was to be checked that holds no configuration of the filter.";
    OPEN_ROUTE "open-route" "A rule lets requests for every path pass unverified.";
    OTHER_PLUGIN "other-plugin" "A Wasm plugin was taken for another one, and not checked.";
    PATH_NORMALIZATION "path-normalization" "Paths reach the rules in more than one spelling.";
    PLAIN_HTTP "plain-http" "Keys, or what is revoked, are fetched by `http`.";
    REPORT_ONLY "report-only" "Refusals are reported, and the requests pass.";
    REVOCATION_FAILS_OPEN "revocation-fails-open" "Revoked tokens pass while nobody can tell that they are revoked.";
    SENDER_CONSTRAINT_IGNORED "sender-constraint-ignored" "Tokens that are bound to their sender count from anybody.";
    TOKEN_IN_QUERY "token-in-query" "Tokens in URLs end up in logs, histories and `Referer`.";
    UNKNOWN_CLUSTER "unknown-cluster" "The bootstrap has no cluster of this name.";
    UNLIMITED_LIFETIME "unlimited-lifetime" "Tokens are accepted however long they are valid.";
    UNMATCHED_ALLOW "unmatched-allow" "Requests that no rule matches pass unverified.";
    UNPINNED_CODE "unpinned-code" "The module is fetched without a digest that says which one is meant.";
    YAML_MERGE "yaml-merge" "`<<` merges nothing in Envoy, which reads YAML 1.2.";
}

/// What the filter itself warns of when it loads: a part of its sentence, and what that is called here.
const FILTERS_OWN: &[(&str, Lint)] = &[
    ("no rule uses this provider", lint("unused-provider", "No rule asks for tokens of the provider.")),
    ("of the same issuer from the same place", lint("same-issuer", "Several providers take the same tokens.")),
    ("takes every path:", lint("hardly-reachable", "Only odd requests reach the rule.")),
    (
        "lets whatever begins so pass",
        lint("wide-exemption", "A prefix without a final slash exempts more than it names."),
    ),
    ("which begins with `/`", lint("regex-without-slash", "The expression cannot match a path.")),
    ("this key is skipped", lint("skipped-key", "A key of the set cannot be used.")),
    ("has no key that fits", lint("algorithm-without-key", "No key of the set fits a listed algorithm.")),
    ("everybody may say who the client is", lint("everybody-trusted", "Every address is a trusted proxy.")),
    ("make up pages of an http origin", lint("http-origin", "An origin without TLS may use the cookies.")),
    ("can set a cookie of this name", lint("cookie-without-prefix", "Other hosts of the domain can plant the cookie.")),
    ("passes without being looked up", lint("revocation-without-jti", "Tokens without `jti` are not looked up.")),
    ("clients will not find out", lint("no-authorization-server", "Clients are not told where to get tokens.")),
    ("proxy itself reads and writes", lint("proxy-header", "Envoy itself uses the header.")),
    ("`Bearer` is not looked for", lint("header-without-prefix", "The whole value of the header is the token.")),
    ("has no effect", lint("no-effect", "A field has no effect.")),
    ("is longer than http_uri.timeout", lint("long-interval", "A new key may be looked for too late.")),
    ("chooses the route again", lint("route-chosen-again", "The filter changes what the route was chosen by.")),
    ("a rule sees", lint("edited-request", "A rule looks at what the filter itself changes.")),
];

/// What the filter warns of under a name that is not listed yet.
const DOUBTFUL: Lint = lint("doubtful", "The filter warns of it when it loads.");

const fn lint(id: &'static str, about: &'static str) -> Lint {
    Lint { id, about }
}

/// What a warning of the filter's is called here.
pub(super) fn filters_own(sentence: &str) -> Lint {
    FILTERS_OWN.iter().find(|(part, _)| sentence.contains(part)).map_or(DOUBTFUL, |(_, lint)| *lint)
}

/// Every warning, sorted by its identifier.
pub(super) fn warnings() -> Vec<Lint> {
    let mut all: Vec<_> = LINTS.iter().copied().chain(FILTERS_OWN.iter().map(|(_, lint)| *lint)).collect();
    all.push(DOUBTFUL);
    all.sort_by_key(|lint| lint.id);
    all
}

/// Everything that can be found.
pub(super) fn everything() -> Vec<Lint> {
    ERRORS.iter().copied().chain(warnings()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn identifiers_are_unique_and_in_kebab_case() {
        let everything = everything();
        let ids: BTreeSet<_> = everything.iter().map(|lint| lint.id).collect();
        assert_eq!(ids.len(), everything.len());
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    }

    /// A sentence that the filter says in another way would lose its name.
    #[test]
    fn what_the_filter_warns_of_is_in_its_source() {
        let source = sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/config"));
        let source = source.replace("\\\n", "");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let source = words(&source);
        for (part, lint) in FILTERS_OWN {
            assert!(source.contains(part), "{}: {part}", lint.id);
        }
    }

    #[allow(clippy::disallowed_methods, reason = "tests read files")]
    fn sources(folder: &std::path::Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}
