//! From the bytes that the host hands over to the raw shapes: JSON text or a protobuf Struct, and the shape's mistakes.

use prost::Message;
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use serde_path_to_error::{Path, Segment};

use super::{
    node::Node,
    raw::RawConfig,
    report::{ConfigError, joined},
};

/// The longest configuration, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Reads what the host handed over.
///
/// # Errors
///
/// One mistake: the text is absent, too long or neither JSON nor a Struct, or a field is unknown, given twice or of the
/// wrong type.
pub(super) fn read(text: &[u8]) -> Result<RawConfig, ConfigError> {
    let node = node(text)?;
    if !matches!(node, Node::Object(_)) {
        return Err(ConfigError::single("", "has to be a JSON object, with `providers` and `rules`"));
    }
    serde_path_to_error::deserialize(node)
        .map_err(|error| ConfigError::single(dotted(error.path()), error.inner().to_string()))
}

fn node(text: &[u8]) -> Result<Node, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(ConfigError::single("", format!("is longer than {MAX_BYTES} bytes")));
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(ConfigError::single("", "is empty: give the plugin a JSON object, with `providers` and `rules`"));
    }
    match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) => json(text),
        Err(error) => structure(text).ok_or_else(|| not_json(&error)),
    }
}

fn json(text: &[u8]) -> Result<Node, ConfigError> {
    let mut deserializer = Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| match error.inner().classify() {
        serde_json::error::Category::Data => ConfigError::single(dotted(error.path()), error.inner().to_string()),
        _ => not_json(error.inner()),
    })
}

/// The Struct that the bytes are. One without fields is none: unknown fields are skipped by the decoder, so that nearly
/// any bytes would do for it.
fn structure(bytes: &[u8]) -> Option<Node> {
    let structure = prost_types::Struct::decode(bytes).ok()?;
    (!structure.fields.is_empty()).then(|| structure.into())
}

fn not_json(error: &serde_json::Error) -> ConfigError {
    ConfigError::single("", format!("is not JSON: {error}"))
}

fn dotted(path: &Path) -> String {
    path.iter().fold(String::new(), |path, segment| match segment {
        Segment::Seq { index } => format!("{path}[{index}]"),
        Segment::Map { key } | Segment::Enum { variant: key } => joined(&path, key),
        Segment::Unknown => path,
    })
}
