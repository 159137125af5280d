//! The description and the routes are the same thing said twice.

use std::collections::BTreeSet;

use idp::flow::officer::Refusal;
use serde_json::Value;

use super::openapi::DOCUMENT;
use super::problem::Problem;

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
