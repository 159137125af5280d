//! Every kept input once: what was found broken before stays mended.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

fn replay(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let target = fuzz::find(name).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        if std::panic::catch_unwind(|| target(&input)).is_err() {
            panic!("{} breaks what {name} promises", path.display());
        }
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

macro_rules! replayed {
    ($($test:ident $name:literal),* $(,)?) => {
        $(#[test] fn $test() { replay($name) })*

        #[test]
        fn every_target_has_a_corpus_and_every_corpus_a_target() {
            let mut kept: Vec<String> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            kept.sort();
            let targets: Vec<&str> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(kept, targets);
            assert_eq!(targets, [$($name),*]);
        }
    };
}

replayed! {
    acr_values "acr-values",
    authorize "authorize",
    basic_header "basic-header",
    certificate_header "certificate-header",
    claims "claims",
    client_assertion "client-assertion",
    cookie "cookie",
    distinguished_name "distinguished-name",
    dpop_claims "dpop-claims",
    dpop_proof "dpop-proof",
    jwks "jwks",
    jwt "jwt",
    network "network",
    parameters "parameters",
    person_number "person-number",
    pkce "pkce",
    redirect_uri "redirect-uri",
    registration "registration",
    request_object "request-object",
    scope "scope",
    strict_json "strict-json",
    token_request "token-request",
}
