//! Reading: the file's tree over the defaults, the environment over the file. Every key is known and of its type
//! before anything is deserialized, so that a refusal can name it.

use serde_json::{Map, Value};

use super::{Config, Invalid, UpstreamProvider};

const PREFIX: &str = "IDP_";
/// The one section whose keys are names the operator gives; each holds a table of settings.
const NAMED: &str = "upstream";

/// The merged configuration, typed but not yet checked.
pub(super) fn merged(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, Invalid> {
    let template = tree(&Config::template())?;
    let defaults = tree(&Config::default())?;
    let mut merged = defaults.clone();
    for (key, value) in leaves(file(text)?, &template)? {
        try_alone(&defaults, &key.path, value.clone()).map_err(|reason| Invalid::new(&key.name, reason))?;
        put(&mut merged, &key.path, value);
    }
    let mut variables: Vec<_> = environment.into_iter().collect();
    variables.sort_unstable();
    for (name, text) in variables {
        let Some(key) = variable(&name, &template)? else { continue };
        let like = like(&template, &key.path);
        let value = like.and_then(|like| typed(&text, &like)).map_err(|reason| Invalid::new(&name, reason))?;
        try_alone(&defaults, &key.path, value.clone()).map_err(|reason| Invalid::new(&name, reason))?;
        put(&mut merged, &key.path, value);
    }
    serde_json::from_value(merged).map_err(|error| Invalid::new("configuration", error))
}

/// Where a setting sits, and what to call it in a refusal.
struct Key {
    path: Vec<String>,
    name: String,
}

fn tree(config: &Config) -> Result<Value, Invalid> {
    serde_json::to_value(config).map_err(|error| Invalid::new("configuration", error))
}

fn file(text: &str) -> Result<Map<String, Value>, Invalid> {
    let source = config::File::from_str(text, config::FileFormat::Toml);
    let read = config::Config::builder().add_source(source).build();
    read.and_then(config::Config::try_deserialize).map_err(|error| Invalid::new("idp.toml", error))
}

/// Every value of the file with its path, each known to the template and of its kind.
fn leaves(file: Map<String, Value>, template: &Value) -> Result<Vec<(Key, Value)>, Invalid> {
    let mut found = Vec::new();
    for (name, value) in file {
        match (template.get(&name), value) {
            (None, _) => return Err(Invalid::new(name, "unknown key")),
            (Some(_), Value::Object(tables)) if name == NAMED => {
                for (key, value) in tables {
                    let full = format!("{name}.{key}");
                    if !value.is_object() {
                        return Err(Invalid::new(full, "is a section"));
                    }
                    found.push((Key { path: vec![name.clone(), key], name: full }, value));
                }
            }
            (Some(Value::Object(section)), Value::Object(keys)) => {
                for (key, value) in keys {
                    let full = format!("{name}.{key}");
                    let known = section.get(&key).ok_or_else(|| Invalid::new(&full, "unknown key"))?;
                    same_kind(known, &value).map_err(|reason| Invalid::new(&full, reason))?;
                    found.push((Key { path: vec![name.clone(), key], name: full }, value));
                }
            }
            (Some(known), value) => {
                same_kind(known, &value).map_err(|reason| Invalid::new(&name, reason))?;
                found.push((Key { path: vec![name.clone()], name }, value));
            }
        }
    }
    Ok(found)
}

/// The key a variable names; `None` when it is none of ours.
fn variable(name: &str, template: &Value) -> Result<Option<Key>, Invalid> {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(None) };
    let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
    if let [section, _, _] = path.as_slice()
        && section == NAMED
    {
        return Ok(Some(Key { path, name: name.to_owned() }));
    }
    let known = !matches!(at(template, &path), Value::Null | Value::Object(_));
    match (known, path.len()) {
        (true, _) => Ok(Some(Key { path, name: name.to_owned() })),
        (false, 1) if is_foreign(rest) => Ok(None),
        (false, _) => Err(Invalid::new(name, "unknown key")),
    }
}

/// Kubernetes sets `IDP_SERVICE_HOST`, `IDP_PORT_8080_TCP` and the like in every pod beside a service called
/// `idp`; test runs have their own `IDP_TEST_…`.
fn is_foreign(rest: &str) -> bool {
    let service = |rest: &str| rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
    rest.starts_with("TEST_")
        || rest.char_indices().any(|(i, c)| c == '_' && rest.get(i + 1..).is_some_and(service))
        || service(rest)
}

fn at<'a>(tree: &'a Value, path: &[String]) -> &'a Value {
    path.iter().try_fold(tree, |tree, key| tree.get(key)).unwrap_or(&Value::Null)
}

/// What a variable's key holds by default; of a named table, what any such table holds.
fn like(template: &Value, path: &[String]) -> Result<Value, &'static str> {
    if let [section, _, key] = path
        && section == NAMED
    {
        let table = serde_json::to_value(UpstreamProvider::template()).unwrap_or_default();
        return table.get(key).filter(|known| !known.is_object()).cloned().ok_or("unknown key");
    }
    Ok(at(template, path).clone())
}

fn put(tree: &mut Value, path: &[String], value: Value) {
    if path.first().is_some_and(|section| section == NAMED) {
        put_named(tree, path, value);
    } else if let Some(place) = path.iter().try_fold(tree, |tree, key| tree.get_mut(key)) {
        *place = value;
    }
}

/// Such a table is there only once it is named.
fn put_named(tree: &mut Value, path: &[String], value: Value) {
    let mut place = tree;
    for key in path {
        let Value::Object(members) = place else { return };
        place = members.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    *place = value;
}

/// A variable's text in the type its key has. Lists are separated by commas.
fn typed(text: &str, like: &Value) -> Result<Value, &'static str> {
    match like {
        Value::Bool(_) => text.parse().map(Value::Bool).map_err(|_| "must be true or false"),
        Value::Number(_) => text.parse::<i64>().map(Value::from).map_err(|_| "must be a whole number"),
        Value::Array(_) => {
            Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect())
        }
        _ => Ok(Value::from(text)),
    }
}

fn same_kind(known: &Value, value: &Value) -> Result<(), &'static str> {
    match (known, value) {
        (Value::Bool(_), Value::Bool(_)) | (Value::String(_), Value::String(_)) => Ok(()),
        (Value::Number(_), Value::Number(number)) if !number.is_f64() => Ok(()),
        (Value::Array(_), Value::Array(_)) => Ok(()),
        (Value::Bool(_), _) => Err("must be true or false"),
        (Value::Number(_), _) => Err("must be a whole number"),
        (Value::Array(_), _) => Err("must be a list"),
        (Value::Object(_), _) => Err("is a section"),
        _ => Err("must be text"),
    }
}

/// Whether the value fits its type beside nothing but defaults: what fails then fails because of this key.
fn try_alone(defaults: &Value, path: &[String], value: Value) -> Result<(), serde_json::Error> {
    let mut alone = defaults.clone();
    put(&mut alone, path, value);
    serde_json::from_value::<Config>(alone).map(drop)
}
