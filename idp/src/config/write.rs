//! Writing: the configuration as the file that gives it.

use std::fmt::Write;

use serde_json::Value;
use url::Url;

use super::Config;

pub(super) fn toml(config: &Config) -> String {
    let Ok(Value::Object(tree)) = serde_json::to_value(config) else { return String::new() };
    let mut text = String::new();
    for (key, value) in tree.iter().filter(|(_, value)| !value.is_object()) {
        line(&mut text, key, value);
    }
    for (section, values) in &tree {
        let Value::Object(values) = values else { continue };
        if values.is_empty() {
            continue;
        }
        if values.values().all(Value::is_object) {
            for (name, table) in values {
                let _ = write!(text, "\n[{section}.{name}]\n");
                lines(&mut text, table);
            }
            continue;
        }
        let _ = write!(text, "\n[{section}]\n");
        for (key, value) in values {
            line(&mut text, key, value);
        }
    }
    text
}

fn lines(text: &mut String, table: &Value) {
    let Value::Object(values) = table else { return };
    for (key, value) in values {
        match value {
            Value::Object(members) => {
                let pairs: Vec<String> =
                    members.iter().map(|(name, value)| format!("{} = {value}", Value::from(name.as_str()))).collect();
                let _ = writeln!(text, "{key} = {{{}}}", pairs.join(", "));
            }
            value => line(text, key, value),
        }
    }
}

/// JSON's text for strings, numbers, booleans and lists of them is TOML's too. An absent key has no text.
fn line(text: &mut String, key: &str, value: &Value) {
    if !value.is_null() {
        let _ = writeln!(text, "{key} = {value}");
    }
}

/// A URL without what may be secret in it: user, password and query.
pub(super) fn hide(url: &str) -> String {
    const HIDDEN: &str = "hidden";
    if !url.contains("://") {
        return url.to_owned();
    }
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let Ok(mut parsed) = Url::parse(url) else { return format!("{scheme}://{HIDDEN}") };
    let whole = |hidden: Result<(), ()>| hidden.is_ok();
    let user = parsed.username().is_empty() || whole(parsed.set_username(HIDDEN));
    let password = parsed.password().is_none() || whole(parsed.set_password(Some(HIDDEN)));
    if parsed.query().is_some() {
        parsed.set_query(Some(HIDDEN));
    }
    if user && password { parsed.into() } else { format!("{scheme}://{HIDDEN}") }
}
