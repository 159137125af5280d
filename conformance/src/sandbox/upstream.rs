//! Upstream: other providers in the sandbox. One has ended and says so on its own page; others come from a file, which a
//! second sandbox writes when it is told whose upstream it is.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use idp::config::{Config, UpstreamConfig, UpstreamKind, UpstreamProvider};
use serde_json::{Value, json};

use super::ports::{Ports, origin};
use super::setup::private_file;

/// The client a sandbox registers for the provider whose upstream it is, and the name it is given there.
pub const DOWNSTREAM: &str = "downstream";
const AUTHORITY: &str = "authority";
/// The accounts the national portal issued itself (`product.md` S4).
const ENDED: &str = "old-portal";

/// The providers of a file, checked as a start would check them.
pub fn read(path: &Path) -> Result<UpstreamConfig, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let mut around = Config::new("http://localhost:1", "keys");
    around.danger_http_loopback = true;
    let read = Config::read(&format!("{}\n{text}", around.to_toml()), []).map_err(|error| told(&error))?;
    let mut providers = read.upstream;
    // The configuration is written down elsewhere; paths in it are those of this file.
    let beside = path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
    for provider in providers.0.values_mut() {
        provider.client_secret_file = provider.client_secret_file.take().map(|file| beside.join(file));
    }
    Ok(providers)
}

/// These, and the old accounts, which nobody signs in with any more.
pub fn with_ended(others: &UpstreamConfig) -> UpstreamConfig {
    let mut all = others.clone();
    all.0.entry(ENDED.to_owned()).or_insert_with(|| UpstreamProvider {
        issuer: "https://tai-khoan-cu.invalid".to_owned(),
        client_id: "idp".to_owned(),
        name_vi: "Cổng Dịch vụ công quốc gia".to_owned(),
        name_en: "the National Public Service Portal".to_owned(),
        kind: UpstreamKind::Legacy,
        ends_at: Some("2024-06-30".to_owned()),
        ..UpstreamProvider::default()
    });
    all
}

/// The provider at `downstream` as a client of this one.
pub fn registration(downstream: &str, secret: &str) -> Value {
    let downstream = downstream.trim_end_matches('/');
    json!({
        "client_id": DOWNSTREAM,
        "client_secret": secret,
        "client_name": {"vi": "Hệ thống định danh liên kết", "en": "Linked identity provider"},
        "redirect_uris": [format!("{downstream}/upstream/{AUTHORITY}/callback")],
        "backchannel_logout_uri": format!("{downstream}/upstream/{AUTHORITY}/logout"),
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "scope": "openid",
        "vn_relying_party": {"vi": "Cơ quan định danh bạn", "en": "A fellow identity authority"},
        "vn_sector": "downstream.sandbox",
        "vn_security_level": 3,
        "vn_legal_basis": "consent",
        "vn_min_account_level": 1,
        "vn_min_auth_level": 1
    })
}

/// What the other sandbox reads by `--upstream`.
pub fn write(ports: Ports, directory: &Path) -> Result<PathBuf, String> {
    let mut text = format!("[upstream.{AUTHORITY}]\n");
    let secret = directory.join("secrets").join(DOWNSTREAM);
    for (key, value) in [
        ("issuer", json!(origin(ports.provider()))),
        ("client_id", json!(DOWNSTREAM)),
        ("client_secret_file", json!(secret)),
        ("name_vi", json!("Cơ quan định danh bạn")),
        ("name_en", json!("Fellow identity authority")),
    ] {
        writeln!(text, "{key} = {value}").map_err(|error| error.to_string())?;
    }
    // Stated, never assumed: what another's levels are worth here.
    text.push_str("levels = {\"urn:vn:eid:muc:1\" = 1, \"urn:vn:eid:muc:2\" = 2}\n");
    let path = directory.join("upstream.toml");
    private_file(&path, text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_sandbox_writes_another_reads() {
        let place = tempfile::tempdir().unwrap();
        let path = write(Ports::from_base(18_080).unwrap(), place.path()).unwrap();
        let read = read(&path).unwrap();
        assert_eq!(read.0["authority"].issuer, "http://localhost:18080");
        assert_eq!(read.0["authority"].levels["urn:vn:eid:muc:2"], 2);
        assert!(with_ended(&read).0.contains_key("authority") && with_ended(&read).0.contains_key(ENDED));
    }
}
