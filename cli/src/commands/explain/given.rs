//! What the command line names, read: the configuration, its environment, the route, a certificate.

use std::path::Path;
use std::rc::Rc;

use jwt_warden::config::{self, Config, Loaded};
use jwt_warden::route::Route;

use crate::plugin::{self, Home, Plugin};
use crate::yaml::{self, Node};
use crate::{Stop, input};

/// More mistakes than these are counted.
const MAX_MISTAKES: usize = 5;

/// The configuration in the file that is asked for.
///
/// # Errors
///
/// There is none, or more than one and no choice.
pub(super) fn plugin(file: &Path, wanted: Option<&str>) -> Result<Plugin, Stop> {
    let name = file.display();
    let text = input::read(file)?;
    let tree = yaml::parse(&text).map_err(|unreadable| {
        format!("{name}:{}:{}: {}", unreadable.at.line, unreadable.at.column, unreadable.sentence)
    })?;
    let mut plugins = plugin::find(&tree.documents);
    if plugins.is_empty() {
        return Err(format!("{name}: holds no configuration of the filter: is it the right file?"));
    }
    let position = match wanted {
        None if plugins.len() > 1 => {
            return Err(format!(
                "{name}: holds {} configurations: choose one by --plugin{}",
                plugins.len(),
                list(&plugins)
            ));
        }
        None => 0,
        Some(wanted) => chosen(&plugins, wanted)
            .ok_or_else(|| format!("{name}: has no plugin `{}`; there are{}", cut(wanted), list(&plugins)))?,
    };
    Ok(plugins.swap_remove(position))
}

/// By its number, or by its name if only one has it.
fn chosen(plugins: &[Plugin], wanted: &str) -> Option<usize> {
    if let Some(number) = wanted.parse::<usize>().ok().filter(|number| (1..=plugins.len()).contains(number)) {
        return Some(number - 1);
    }
    let mut named = plugins.iter().enumerate().filter(|(_, plugin)| plugin_name(plugin) == Some(wanted));
    named.next().map(|(position, _)| position).filter(|_| named.next().is_none())
}

fn list(plugins: &[Plugin]) -> String {
    let line = |(index, plugin): (usize, &Plugin)| {
        let name = plugin_name(plugin).map(|name| format!(" `{}`", cut(name))).unwrap_or_default();
        format!("\n  {}:{name} in line {}", index + 1, plugin.position("").line)
    };
    plugins.iter().enumerate().map(line).collect()
}

fn plugin_name(plugin: &Plugin) -> Option<&str> {
    let paths: &[&[&str]] = match plugin.home {
        Home::Bare => &[],
        Home::Envoy => &[&["config", "name"], &["value", "config", "name"]],
        Home::Istio => &[&["metadata", "name"]],
        Home::Gateway => &[&["name"]],
    };
    paths.iter().find_map(|path| plugin.surroundings.at_path(path)?.text())
}

/// The configuration as the filter loads it.
///
/// # Errors
///
/// The filter would refuse it.
pub(super) fn load(file: &Path, plugin: &Plugin, variables: &[String]) -> Result<Loaded, Stop> {
    let mut environment = vm_environment(plugin);
    for variable in variables {
        let (name, value) =
            variable.split_once('=').ok_or_else(|| "--env: give the variable as NAME=VALUE".to_owned())?;
        environment.push((name.to_owned(), value.to_owned()));
    }
    let look_up =
        |name: &str| environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let text = plugin.text.clone().unwrap_or_default();
    config::parse(text.as_bytes(), &look_up).map_err(|error| {
        let mistakes: Vec<_> = error.mistakes().collect();
        let shown = mistakes.iter().take(MAX_MISTAKES).map(|(path, sentence)| {
            let at = plugin.position(path);
            let path = if path.is_empty() { "configuration" } else { path };
            format!("\n  {}:{}:{}: {path}: {sentence}", file.display(), at.line, at.column)
        });
        let shown: String = shown.collect();
        let more = mistakes.len().saturating_sub(MAX_MISTAKES) + error.left_out();
        let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        let what = "the filter refuses this configuration, so it decides nothing; `jwt-warden check` says more";
        format!("{}: {what}:{shown}{more}", file.display())
    })
}

/// The variables that Envoy or Istio gives the VM.
fn vm_environment(plugin: &Plugin) -> Vec<(String, String)> {
    let of = |path: &[&str]| plugin.surroundings.at_path(path).cloned().map(Rc::new);
    let maps = [
        &["config", "vm_config", "environment_variables", "key_values"][..],
        &["value", "config", "vm_config", "environment_variables", "key_values"],
    ];
    let pair = |name: &str, value: &Node| Some((name.to_owned(), value.text()?.to_owned()));
    let members = maps.iter().filter_map(|path| of(path)).flat_map(|map| map.members().to_vec());
    let mut variables: Vec<_> = members.filter_map(|member| pair(&member.name, &member.node)).collect();
    if let Some(list) = of(&["spec", "vmConfig", "env"]) {
        variables.extend(list.items().iter().filter_map(|item| pair(item.get("name")?.text()?, item.get("value")?)));
    }
    variables
}

/// The route that Envoy has chosen.
///
/// # Errors
///
/// The configuration does not look at its metadata, or they are not written as they should be.
pub(super) fn route(name: Option<&str>, metadata: &[String], config: &Config) -> Result<Route, Stop> {
    if !metadata.is_empty() && !config.route_metadata {
        return Err("--route-metadata: this configuration does not look at them (route_metadata)".to_owned());
    }
    let member = |text: &String| {
        let (name, value) = text.split_once('=').ok_or("--route-metadata: give NAME=VALUE")?;
        let value = match (name, value) {
            ("disabled", "true") => vec![1],
            ("disabled", "false") => vec![0],
            _ => value.as_bytes().to_vec(),
        };
        Ok::<_, Stop>((name.as_bytes().to_vec(), value))
    };
    let members = metadata.iter().map(member).collect::<Result<Vec<_>, _>>()?;
    Ok(Route {
        name: name.map(|name| name.as_bytes().to_vec()),
        metadata: Some(members).filter(|members| !members.is_empty()),
    })
}

/// A SHA-256 in hexadecimal, with colons or without.
///
/// # Errors
///
/// It is none.
pub(super) fn fingerprint(text: &str) -> Result<[u8; 32], Stop> {
    let digits = text.trim().chars().filter(|sign| *sign != ':').map(|sign| sign.to_digit(16));
    let digits = digits.collect::<Option<Vec<u32>>>().filter(|digits| digits.len() == 64).unwrap_or_default();
    let octets = digits.chunks_exact(2).filter_map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    let octets: Option<[u8; 32]> = octets.collect::<Vec<_>>().try_into().ok();
    octets.ok_or_else(|| {
        "--client-certificate: is no SHA-256: give 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` does"
            .to_owned()
    })
}

/// Whether the terminal is told more than ASCII.
#[allow(clippy::disallowed_methods, reason = "the program asks for the terminal's language")]
pub(super) fn speaks_utf8() -> bool {
    let said =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    said.is_some_and(|text| text.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

fn cut(text: &str) -> String {
    super::report::escaped(&text.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_both_forms() {
        assert_eq!(fingerprint(&"aB".repeat(32)), Ok([0xab; 32]));
        assert_eq!(fingerprint(&vec!["AB"; 32].join(":")), Ok([0xab; 32]));
        for bad in ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &format!("{}x", "ab".repeat(32)), &"xy".repeat(32)] {
            assert!(fingerprint(bad).is_err(), "{bad}");
        }
    }
}
