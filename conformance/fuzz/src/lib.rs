//! What the parsers of the provider must hold for any input a stranger can send, each as a function over bytes that
//! panics where it does not (`security.md` 5). `conformance/fuzz/run` searches for such an input; `tests/corpus.rs` replays
//! the inputs that are kept.

mod addresses;
mod clients;
mod facts;
mod json;
mod made;
mod parameters;
mod signed;

/// Panics when a promise is broken.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("acr-values", facts::acr_values),
    ("authorize", parameters::authorize),
    ("basic-header", clients::basic_header),
    ("certificate-header", facts::certificate_header),
    ("claims", parameters::claims),
    ("client-assertion", clients::assertion),
    ("cookie", facts::cookie),
    ("distinguished-name", facts::distinguished_name),
    ("dpop-claims", signed::dpop_claims),
    ("dpop-proof", signed::dpop_proof),
    ("jwks", signed::jwks),
    ("jwt", signed::jwt),
    ("network", addresses::network),
    ("parameters", parameters::parameters),
    ("person-number", facts::person_number),
    ("pkce", parameters::pkce),
    ("redirect-uri", addresses::redirect_uri),
    ("registration", clients::registration),
    ("request-object", signed::request_object),
    ("scope", parameters::scope),
    ("strict-json", json::strict),
    ("token-request", parameters::token_request),
];

pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
