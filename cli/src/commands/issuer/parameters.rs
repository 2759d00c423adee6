//! What a request to the issuer asks for, as a form or as JSON.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::answer::Asked;

/// The members of the body, each there once.
///
/// # Errors
///
/// It holds none.
pub(super) fn read(asked: &Asked<'_>) -> Result<Map<String, Value>, String> {
    let text = std::str::from_utf8(asked.body).map_err(|_| "the body is not UTF-8")?;
    let media_type = asked.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        _ if text.trim().is_empty() => Ok(Map::new()),
        "application/json" => json(text),
        "application/x-www-form-urlencoded" => form(text),
        _ => Err("Content-Type is neither application/json nor application/x-www-form-urlencoded".to_owned()),
    }
}

fn json(text: &str) -> Result<Map<String, Value>, String> {
    // It refuses names that are there twice.
    let tree = crate::yaml::parse(text).map_err(|unreadable| format!("the body {}", unreadable.sentence))?;
    match tree.documents.as_slice() {
        [document] => match document.value() {
            Value::Object(members) => Ok(members),
            _ => Err("the body is no object".to_owned()),
        },
        _ => Err("the body is no object".to_owned()),
    }
}

fn form(text: &str) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    for field in text.split('&').filter(|field| !field.is_empty()) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let (name, value) = (plain(name)?, plain(value)?);
        let value = if matches!(name.as_str(), "claims" | "header") {
            serde_json::from_str(&value).map_err(|_| format!("{name} is not JSON"))?
        } else {
            Value::String(value)
        };
        if members.insert(name.clone(), value).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(members)
}

fn plain(text: &str) -> Result<String, String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().map(Into::into).map_err(|_| "the form is not UTF-8".to_owned())
}
