//! The variables that a configuration may name: those of the command line, and those that the file hands to the VM.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::lints::field;
use crate::Stop;
use crate::plugin::Plugin;
use crate::yaml::Node;

/// Stands in for a key set that is not known: the public key of RFC 7515 appendix A.3.
const STAND_IN: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// Variables by their names. They may be secret, so that they are never printed.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Reads `NAME=VALUE`, or `NAME` for that of this program's own environment.
    pub(super) fn of_arguments(arguments: &[String]) -> Result<Self, Stop> {
        arguments.iter().map(|argument| variable(argument)).collect::<Result<_, _>>().map(Self)
    }

    /// With those that the file itself gives to the VM.
    pub(super) fn for_plugin(&self, plugin: &Plugin) -> Environment {
        let mut known = given_by(&plugin.surroundings);
        known.extend(self.0.clone());
        Environment { known, assumed: RefCell::default() }
    }
}

fn variable(argument: &str) -> Result<(String, String), Stop> {
    if let Some((name, value)) = argument.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    #[allow(clippy::disallowed_methods, reason = "the operator asks for it")]
    let value = std::env::var(argument);
    let value = value.map_err(|_| format!("--env {argument}: is not set here: export it, or give {argument}=VALUE"))?;
    Ok((argument.to_owned(), value))
}

/// What Envoy's `vm_config`, or Istio's `vmConfig`, gives to the VM.
fn given_by(surroundings: &Node) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for place in [&["config"][..], &["value", "config"], &["spec"], &["spec", "wasm"]] {
        let Some(vm) = surroundings.at_path(place).and_then(|config| field(config, "vm_config")) else { continue };
        let pairs = field(vm, "environment_variables").and_then(|variables| field(variables, "key_values"));
        for member in pairs.iter().flat_map(|pairs| pairs.members()) {
            known.extend(member.node.text().map(|value| (member.name.clone(), value.to_owned())));
        }
        for entry in vm.get("env").iter().flat_map(|entries| entries.items()) {
            let texts =
                (entry.get("name").and_then(|name| name.text()), entry.get("value").and_then(|value| value.text()));
            if let (Some(name), Some(value)) = texts {
                known.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    known
}

/// The environment of a VM, as far as it is known.
pub(super) struct Environment {
    known: BTreeMap<String, String>,
    assumed: RefCell<Vec<String>>,
}

impl Environment {
    /// The variable; one that is not known is taken for a good key set, and remembered.
    pub(super) fn look_up(&self, name: &str) -> Option<String> {
        self.known.get(name).cloned().or_else(|| {
            self.assumed.borrow_mut().push(name.to_owned());
            Some(STAND_IN.to_owned())
        })
    }

    /// Whether this variable was not known.
    pub(super) fn was_assumed(&self, name: &str) -> bool {
        self.assumed.borrow().iter().any(|assumed| assumed == name)
    }
}
