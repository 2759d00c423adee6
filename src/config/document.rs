//! From the bytes that the host hands over to the raw shapes: JSON text or a protobuf Struct, and the shape's mistakes.

use std::fmt::Display;

use prost::Message;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use super::{node::Node, raw::RawConfig, report::ConfigError, shape::Shape};

/// The longest configuration, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Reads what the host handed over.
///
/// # Errors
///
/// One mistake: the text is absent, too long or neither JSON nor a Struct, or a field is unknown, given twice or of the
/// wrong type.
pub(super) fn read(text: &[u8]) -> Result<RawConfig, ConfigError> {
    RawConfig::read(object(text)?).map_err(|error| ConfigError::single(error.path().dotted(), error.to_string()))
}

/// The same, with every mistake of shape.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn read_through(text: &[u8]) -> Result<RawConfig, ConfigError> {
    RawConfig::read(object(text)?).map_err(|error| {
        ConfigError::several(error.each().iter().map(|error| (error.path().dotted(), error.to_string())))
    })
}

fn object(text: &[u8]) -> Result<Node, ConfigError> {
    let node = node(text)?;
    if !matches!(node, Node::Object(_)) {
        return Err(ConfigError::single("", "has to be a JSON object, with `providers` and `rules`"));
    }
    Ok(node)
}

fn node(text: &[u8]) -> Result<Node, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(ConfigError::single("", format!("is longer than {MAX_BYTES} bytes")));
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(ConfigError::single("", "is empty: give the plugin a JSON object, with `providers` and `rules`"));
    }
    match json(text) {
        Ok(text) => Node::from_json(text).map_err(|(path, error)| match error.classify() {
            Category::Data => ConfigError::single(path.dotted(), error.to_string()),
            _ => not_json(&error),
        }),
        Err(mistake) => structure(text).ok_or(mistake),
    }
}

fn json(text: &[u8]) -> Result<&str, ConfigError> {
    let text = std::str::from_utf8(text).map_err(|error| not_json(&error))?;
    serde_json::from_str::<IgnoredAny>(text).map(|_| text).map_err(|error| not_json(&error))
}

/// The Struct that the bytes are. One without fields is none: unknown fields are skipped by the decoder, so that nearly
/// any bytes would do for it.
fn structure(bytes: &[u8]) -> Option<Node> {
    let structure = prost_types::Struct::decode(bytes).ok()?;
    (!structure.fields.is_empty()).then(|| structure.into())
}

fn not_json(error: &dyn Display) -> ConfigError {
    ConfigError::single("", format!("is not JSON: {error}"))
}
