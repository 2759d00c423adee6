//! What surrounds the configuration in manifests of Istio's and of Envoy Gateway's.

use super::super::catalogue as lint;
use super::super::file::Findings;
use super::{Subject, has_true, text_of};
use crate::plugin::Home;
use crate::yaml::Node;

const UNPINNED: &str = "is no digest: whoever may write to the registry, or answers, decides what verifies your tokens; \
                        give `...@sha256:...`, or `sha256`";

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let manifest = &subject.plugin.surroundings;
    match subject.plugin.home {
        Home::Istio => {
            if let Some(spec) = manifest.at_path(&["spec", "wasm"]) {
                istio(spec, "spec.wasm", findings);
            } else if let Some(spec) = manifest.get("spec") {
                istio(spec, "spec", findings);
            }
        }
        Home::Gateway => gateway(manifest, findings),
        Home::Bare | Home::Envoy => {}
    }
}

fn istio(spec: &Node, path: &str, findings: &mut Findings<'_>) {
    if text_of(spec, "fail_strategy") == Some("FAIL_OPEN") {
        let sentence = "lets requests pass unverified when the module cannot be loaded, or fails: use `FAIL_CLOSE`";
        findings.warn_around(spec, &format!("{path}.failStrategy"), lint::FAIL_OPEN, sentence);
    }
    let is_file = |url: &str| url.starts_with("file://");
    let is_pinned =
        |url: &str| url.contains("@sha256:") || text_of(spec, "sha256").is_some_and(|digest| !digest.is_empty());
    if text_of(spec, "url").is_some_and(|url| !is_file(url) && !is_pinned(url)) {
        findings.warn_around(spec, &format!("{path}.url"), lint::UNPINNED_CODE, UNPINNED);
    }
}

fn gateway(entry: &Node, findings: &mut Findings<'_>) {
    if has_true(entry, "fail_open") {
        let sentence = "lets requests pass unverified when the module cannot be loaded, or fails: use `false`";
        findings.warn_around(entry, "failOpen", lint::FAIL_OPEN, sentence);
    }
    for place in ["http", "image"] {
        let Some(source) = entry.at_path(&["code", place]) else { continue };
        let is_pinned = text_of(source, "sha256").is_some_and(|digest| !digest.is_empty())
            || text_of(source, "url").is_some_and(|url| url.contains("@sha256:"));
        if !is_pinned {
            findings.warn_around(source, &format!("code.{place}.url"), lint::UNPINNED_CODE, UNPINNED);
        }
    }
}
