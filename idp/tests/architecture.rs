//! The house rules, held by a test: who may import whom, how long a file may be, which module explains itself, where
//! a clause is named, and that every route which issues or confirms anything asks `may_act`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;

/// Room, and the rooms it may import (`architecture.md` 1b). `config` stands for its own section of it.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("store", &["domain"]),
    ("ephemeral", &["domain"]),
    ("keys", &["domain", "random"]),
    ("factor", &["domain", "random", "config"]),
    ("notice", &["domain"]),
    ("upstream", &["domain"]),
    ("fetch", &["domain", "config"]),
    ("registry", &["domain"]),
    ("config", &["domain"]),
    ("telemetry", &["domain", "config"]),
    (
        "flow",
        &[
            "domain",
            "protocol",
            "store",
            "ephemeral",
            "keys",
            "factor",
            "notice",
            "fetch",
            "registry",
            "config",
            "telemetry",
            "upstream",
            "clock",
            "random",
            "idp",
        ],
    ),
    ("web", &["domain", "protocol", "flow", "config", "telemetry", "idp"]),
];

/// Foreign crate, and the only places it may be named in.
const FOREIGN: &[(&str, &[&str])] = &[
    (
        "actix_web",
        &["idp/src/web/", "admin/src/web/", "admin/src/api/", "conformance/src/sandbox/", "conformance/src/bin/"],
    ),
    ("diesel", &["idp/src/store/"]),
    ("redis", &["idp/src/ephemeral/redis.rs", "idp/src/ephemeral/mod.rs"]),
    ("josekit", &["idp/src/keys/"]),
    ("prometheus", &["idp/src/telemetry/"]),
    ("reqwest", &["idp/src/fetch/", "admin/src/web/", "conformance/"]),
    (
        "openssl",
        &["idp/src/keys/", "idp/src/factor/", "conformance/src/sandbox/authority.rs", "conformance/src/device.rs"],
    ),
    ("argon2", &["idp/src/keys/", "idp/src/factor/"]),
    ("openidconnect", &["admin/src/", "conformance/", "idp/src/upstream/oidc"]),
];

/// Routes that issue and confirm nothing, and why.
const OPEN_ROUTES: &[(&str, &str)] = &[
    ("/.well-known/openid-configuration", "public document"),
    ("/.well-known/oauth-authorization-server", "public document"),
    ("/jwks", "public document"),
    ("/assets/{name}", "public files"),
    ("/logo/{client_id}", "public pictures"),
    ("/", "public page"),
    ("/signed-out", "says that nothing stands any more"),
    ("/lock-done", "says that nothing stands any more"),
    ("/unlock", "for whom may_act says no: two proofs in the transaction that opens, and nothing is issued"),
    ("/enrol", "asks for an account; there is nobody yet who could act"),
    ("/activate", "gives a holder a password and no session: the sign-in after it asks"),
    ("/check-session", "a script that compares a cookie"),
    ("/end-session", "takes away, never gives"),
    ("/sign-out", "takes away, never gives"),
    ("/revoke", "takes away, never gives"),
    ("/upstream/{name}/logout", "takes away, never gives"),
    ("/register", "admits a client by invitation; there is nobody yet who could act"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no sources");
    found
}

fn all() -> Vec<(String, String)> {
    ["idp/src", "admin/src", "conformance/src"].into_iter().flat_map(sources).collect()
}

fn is_test(name: &str) -> bool {
    name.contains("/tests") || name.ends_with("tests.rs") || name.ends_with("fixtures.rs")
}

/// The code of a file before its own tests.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn rooms_import_only_what_their_row_allows() {
    for (name, text) in sources("idp/src").into_iter().filter(|(name, _)| !is_test(name)) {
        let room = name.trim_start_matches("idp/src/").split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(known, _)| *known == room) else {
            assert!(["lib", "main", "idp", "clock", "random", "attacks"].contains(&room.as_str()), "{room} has no row");
            continue;
        };
        for line in code_lines(without_tests(&text)) {
            for part in line.split("crate::").skip(1) {
                let import: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = MAY_IMPORT.iter().any(|(known, _)| *known == import)
                    || ["clock", "random", "idp"].contains(&import.as_str());
                let permitted = import == room || allowed.contains(&import.as_str()) || !known;
                assert!(permitted, "{name} imports {import}: {}", line.trim());
            }
        }
    }
}

#[test]
fn foreign_crates_stay_in_their_rooms() {
    for (name, text) in all().into_iter().filter(|(name, _)| !is_test(name)) {
        for line in code_lines(without_tests(&text)) {
            for (foreign, places) in FOREIGN {
                let named = line.contains(&format!("{foreign}::")) || line.contains(&format!("use {foreign};"));
                let qualified = line.contains(&format!("::{foreign}::"));
                let here = places.iter().any(|place| name.starts_with(place));
                assert!(!named || qualified || here, "{name} names {foreign}: {}", line.trim());
            }
        }
    }
}

#[test]
fn admin_calls_flows_and_never_the_store() {
    for (name, text) in sources("admin/src").into_iter().filter(|(name, _)| !is_test(name)) {
        for line in code_lines(without_tests(&text)) {
            for room in ["store", "ephemeral", "keys", "factor", "notice", "fetch"] {
                assert!(!line.contains(&format!("idp::{room}::")), "{name} reaches into {room}: {}", line.trim());
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_its_budget() {
    for (name, text) in all() {
        let lines = if is_test(&name) { 0 } else { text.lines().count() };
        assert!(lines <= LONGEST_FILE, "{name} has {lines} lines: a word is missing from the domain");
    }
}

#[test]
fn every_module_says_what_it_owns() {
    for (name, text) in all().into_iter().filter(|(name, _)| !is_test(name)) {
        assert!(text.starts_with("//!"), "{name} has no header");
        if name.starts_with("idp/src/") && name.ends_with("/mod.rs") && name.matches('/').count() == 3 {
            let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
            let header = header.join(" ");
            assert!(
                header.contains("Owns:") && header.contains("ust not know:"),
                "{name}: what it owns and must not know"
            );
        }
    }
}

#[test]
fn every_rule_names_its_clause() {
    const SOURCES: [&str; 8] =
        ["RFC ", "OIDC ", "contract", "security.md", "domain.md", "architecture.md", "Logout", "ND"];
    for (name, text) in sources("idp/src/protocol").into_iter().filter(|(name, _)| !is_test(name)) {
        let plumbing = name.ends_with("/mod.rs") || name.ends_with("json.rs");
        assert!(plumbing || SOURCES.iter().any(|source| text.contains(source)), "{name} names no clause");
    }
    // An error carries the clause it breaks: never an empty one.
    for (name, text) in sources("idp/src") {
        for call in ["Error::invalid_request(\"\"", "Error::invalid_grant(\"\"", "Error::invalid_client(\"\""] {
            assert!(!text.contains(call), "{name}: an error without a clause");
        }
    }
}

#[test]
fn names_say_what_they_mean() {
    const FORBIDDEN: [&str; 5] = ["get_", "handle_", "process_", "do_", "util_"];
    for (name, text) in all() {
        for line in code_lines(&text) {
            let Some(rest) = line.trim_start().split("fn ").nth(1) else { continue };
            assert!(!FORBIDDEN.iter().any(|prefix| rest.starts_with(prefix)), "{name}: {}", line.trim());
        }
    }
}

/// Every function of the crate by its bare name: what its body calls, by bare name. Coarse on purpose: it may see a
/// call too many and never one too few.
fn calls() -> BTreeMap<String, BTreeSet<String>> {
    let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in sources("idp/src").into_iter().filter(|(name, _)| !is_test(name)) {
        let module = name.rsplit('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let mut current: Option<String> = None;
        for line in code_lines(without_tests(&text)) {
            if let Some(rest) = line.split("fn ").nth(1).filter(|_| line.contains("fn ") && !line.contains("impl Fn")) {
                let function: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !function.is_empty() {
                    current = Some(function.clone());
                    // A handler is also known by its module, as the route table names it.
                    calls.entry(format!("{module}::{function}")).or_default().insert(function);
                    continue;
                }
            }
            let Some(function) = &current else { continue };
            let words: Vec<String> = line
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            calls.entry(function.clone()).or_default().extend(words);
        }
    }
    calls
}

fn reaches(from: &str, target: &str, calls: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from.to_owned()];
    while let Some(next) = waiting.pop() {
        if next == target {
            return true;
        }
        if seen.insert(next.clone()) {
            waiting.extend(calls.get(&next).into_iter().flatten().cloned());
        }
    }
    false
}

/// Path and handlers of every public route, read from the table itself.
fn routes() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("idp/src/web/mod.rs")).unwrap();
    let mut routes = Vec::new();
    for service in text.split("resource(\"").skip(1) {
        let (path, rest) = service.split_once('"').unwrap();
        let rest = rest.split(".service(").next().unwrap();
        let handlers = rest.split(".to(").skip(1).map(|handler| {
            handler.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect::<String>()
        });
        routes.push((path.to_owned(), handlers.filter(|handler| !handler.ends_with("preflight")).collect()));
    }
    assert!(routes.len() > 15, "the route table was not understood: {routes:?}");
    routes
}

#[test]
fn d5_every_route_that_issues_or_confirms_asks_may_act() {
    let calls = calls();
    let routes = routes();
    for (path, _) in OPEN_ROUTES {
        assert!(routes.iter().any(|(known, _)| known == path), "{path} is no route any more");
    }
    for (path, handlers) in routes {
        if OPEN_ROUTES.iter().any(|(open, _)| *open == path) {
            continue;
        }
        for handler in handlers {
            let bare = handler.rsplit("::").next().expect("a name").to_owned();
            assert!(calls.contains_key(&bare), "{handler} of {path} was not found");
            assert!(reaches(&bare, "may_act", &calls), "{handler} of {path} never asks may_act");
        }
    }
}

#[test]
fn only_may_act_makes_a_standing() {
    for (name, text) in sources("idp/src").into_iter().filter(|(name, _)| !is_test(name)) {
        let makes = without_tests(&text).contains("Standing {") && !name.ends_with("domain/standing.rs");
        assert!(!makes || !text.contains("Standing { account_level"), "{name} makes a standing of its own");
    }
}
