//! The description and the routes are the same thing said twice.

use std::collections::BTreeSet;

use idp::domain::application::PAPERS;
use idp::domain::hotline::Check;
use idp::flow::officer::{Refusal, enrol};
use serde_json::Value;

use super::openapi::DOCUMENT;
use super::problem::Problem;
use crate::tk01::Filled;

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

#[test]
fn the_document_describes_the_routes_and_nothing_else() {
    let source = include_str!("mod.rs");
    let mut routed = BTreeSet::new();
    for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
        let (path, rest) = line.split_once("\", web::").unwrap();
        routed.insert((path.to_owned(), rest.split('(').next().unwrap().to_owned()));
    }
    let document = document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.insert((path.clone(), method.clone()));
            let named: BTreeSet<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            let empty = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&empty);
            let of = |place: &str| -> BTreeSet<&str> {
                parameters.iter().filter(|one| one["in"] == place).map(|one| one["name"].as_str().unwrap()).collect()
            };
            assert_eq!(of("path"), named, "{path}");
            let acts = method == "post" && path != "/api/people/find";
            assert_eq!(of("header").contains("Idempotency-Key"), acts, "{path}: an act has a key");
            assert!(of("query").is_empty(), "{path}: nothing personal could stand in an address");
        }
    }
    assert!(!routed.is_empty());
    assert_eq!(routed, described);
}

#[test]
fn every_code_is_described_and_every_reference_leads_somewhere() {
    let document = document();
    let listed = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
    let listed: BTreeSet<&str> = listed.iter().map(|code| code.as_str().unwrap()).collect();
    let ours =
        Refusal::ALL.iter().map(|refusal| refusal.code()).chain(Problem::ALL.iter().map(|problem| problem.code()));
    assert_eq!(listed, ours.collect());
    for reference in DOCUMENT.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn what_may_be_said_in_a_body_is_what_the_rules_know() {
    let document = document();
    let listed = |pointer: &str| -> BTreeSet<String> {
        let values = document.pointer(pointer).and_then(Value::as_array).unwrap();
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    let of = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let schemas = "/components/schemas";
    let checks: Vec<&str> = Check::ALL.iter().map(|check| check.name()).collect();
    assert_eq!(listed(&format!("{schemas}/Call/properties/checked/items/enum")), of(&checks));
    assert_eq!(listed(&format!("{schemas}/ApplicationForm/properties/papers/items/enum")), of(&PAPERS));
    let reasons: Vec<&str> = enrol::REASONS.iter().map(|reason| reason.name()).collect();
    assert_eq!(listed(&format!("{schemas}/ApplicationDecision/properties/reason/enum")), of(&reasons));
    // Every field of the form is described: one that is not would be refused as unknown, and the other way round.
    let described =
        document.pointer(&format!("{schemas}/ApplicationForm/properties")).and_then(Value::as_object).unwrap();
    let required = listed(&format!("{schemas}/ApplicationForm/required"));
    for left_out in described.keys() {
        let mut form = serde_json::Map::new();
        for (name, field) in described.iter().filter(|(name, _)| *name != left_out) {
            let value = match field["type"].as_str().unwrap() {
                "boolean" => Value::from(true),
                "integer" => Value::from(2),
                "array" => Value::from(Vec::<String>::new()),
                _ => Value::from("x"),
            };
            form.insert(name.clone(), value);
        }
        let read = serde_json::from_value::<Filled>(Value::Object(form));
        assert_eq!(read.is_err(), required.contains(left_out), "{left_out}");
    }
}
