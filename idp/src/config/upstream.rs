//! Other providers through which a linked account may sign in, each under a short name. A name is in addresses and
//! metrics, so it is never reused for another provider.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Invalid;
use crate::domain::consent::Bilingual;
use crate::domain::{AuthenticationLevel, Moment, Span};

/// One connection, one screen: more than this many buttons are no help to anybody.
const MOST: usize = 16;

/// Vietnam is seven hours ahead of UTC all year.
const VIETNAM: Span = Span::hours(7);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UpstreamConfig(pub BTreeMap<String, UpstreamProvider>);

/// What stands behind a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamKind {
    /// An identity authority's own provider.
    #[default]
    Authority,
    /// The accounts a portal issued before sign-in by VNeID; they have an end.
    Legacy,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamProvider {
    pub issuer: String,
    pub client_id: String,
    /// Absent: we prove ourselves by our own signing keys (`private_key_jwt`), which are at our `/jwks`.
    pub client_secret_file: Option<PathBuf>,
    pub scopes: Vec<String>,
    pub name_vi: String,
    pub name_en: String,
    pub kind: UpstreamKind,
    /// The last day, in Vietnam, on which one signs in through it (`YYYY-MM-DD`).
    pub ends_at: Option<String>,
    /// It may be linked, but nobody signs in by it.
    pub link_only: bool,
    pub enabled: bool,
    /// Which authentication level an `acr` of theirs is worth here. One that is missing or unknown is worth level 1
    /// (`domain.md` 2.4).
    pub levels: BTreeMap<String, u8>,
}

impl Default for UpstreamProvider {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret_file: None,
            scopes: vec!["openid".to_owned()],
            name_vi: String::new(),
            name_en: String::new(),
            kind: UpstreamKind::Authority,
            ends_at: None,
            link_only: false,
            enabled: true,
            levels: BTreeMap::new(),
        }
    }
}

impl UpstreamProvider {
    /// Every optional key present: what `read` knows the keys and their types by.
    pub(super) fn template() -> Self {
        Self { client_secret_file: Some(PathBuf::new()), ends_at: Some(String::new()), ..Self::default() }
    }

    pub fn name(&self) -> Bilingual {
        let en = if self.name_en.is_empty() { &self.name_vi } else { &self.name_en };
        Bilingual { vi: self.name_vi.clone(), en: en.clone() }
    }

    /// From when on it takes nobody any more. The last day is whole.
    pub fn ends(&self) -> Option<Moment> {
        let day: NaiveDate = self.ends_at.as_deref()?.parse().ok()?;
        let midnight: DateTime<chrono::Utc> = day.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc();
        Some(Moment::from_unix(midnight.timestamp()) - VIETNAM)
    }

    pub fn has_ended(&self, now: Moment) -> bool {
        self.ends().is_some_and(|ends| now >= ends)
    }

    /// Theirs is never trusted further than this table says.
    pub fn level(&self, acr: Option<&str>) -> AuthenticationLevel {
        acr.and_then(|acr| self.levels.get(acr))
            .and_then(|number| AuthenticationLevel::from_number(i64::from(*number)))
            .unwrap_or(AuthenticationLevel::One)
    }

    fn check(&self, name: &str, loopback: bool) -> Result<(), Invalid> {
        let key = |member: &str| format!("upstream.{name}.{member}");
        issuer_fits(&self.issuer, loopback).map_err(|reason| Invalid::new(key("issuer"), reason))?;
        if self.client_id.is_empty() {
            return Err(Invalid::new(key("client_id"), "is required"));
        }
        if self.name_vi.trim().is_empty() {
            return Err(Invalid::new(key("name_vi"), "is required: people choose by it"));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(Invalid::new(key("scopes"), "must have openid"));
        }
        if self.ends_at.is_some() && self.ends().is_none() {
            return Err(Invalid::new(key("ends_at"), "is not a day written YYYY-MM-DD"));
        }
        if self.kind == UpstreamKind::Legacy && self.ends_at.is_none() {
            return Err(Invalid::new(key("ends_at"), "is required beside kind = \"legacy\""));
        }
        if let Some((acr, _)) = self.levels.iter().find(|(_, level)| !(1..=4).contains(*level)) {
            return Err(Invalid::new(key("levels"), format!("{acr:?} is not mapped to 1, 2, 3 or 4")));
        }
        Ok(())
    }
}

/// An issuer of somebody else's may have a path (Discovery §4.1).
fn issuer_fits(text: &str, loopback: bool) -> Result<(), String> {
    let url = Url::parse(text).map_err(|_| "is not a URL".to_owned())?;
    if loopback && url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1")) {
        return Ok(());
    }
    if url.scheme() != "https" || url.domain().is_none() || url.query().is_some() || url.fragment().is_some() {
        return Err("must be https with a host name, and without query or fragment".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not name a user".to_owned());
    }
    Ok(())
}

impl UpstreamConfig {
    pub(super) fn check(&self, own: &str, loopback: bool) -> Result<(), Invalid> {
        if self.0.len() > MOST {
            return Err(Invalid::new("upstream", format!("has more than {MOST} providers")));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (name, provider) in &self.0 {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
                return Err(Invalid::new(format!("upstream.{name}"), "a name is 1 to 32 of a-z, 0-9 and -"));
            }
            provider.check(name, loopback)?;
            // Two names for one issuer would be two doors to one set of links.
            if provider.issuer == own || !seen.insert(&provider.issuer) {
                return Err(Invalid::new(format!("upstream.{name}.issuer"), "is ours, or another provider's here"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Invalid};
    use super::*;

    const OURS: &str = "issuer = \"https://id.gov.vn\"\n[keys]\ndirectory = \"k\"\n";
    const WHOLE: &str = "[upstream.other]\nissuer = \"https://op.example.vn/realms/a\"\nclient_id = \"idp\"\n\
        client_secret_file = \"secret\"\nname_vi = \"Cổng khác\"\nkind = \"legacy\"\nends_at = \"2024-06-30\"\n\
        levels = {\"urn:a\" = 2, \"loa3\" = 3}\n";

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, Invalid> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(&format!("{OURS}{text}"), environment)
    }

    #[test]
    fn a_provider_is_read_written_and_overridden() {
        let config = read(WHOLE, &[]).unwrap();
        let other = &config.upstream.0["other"];
        assert_eq!(other.name().en, "Cổng khác");
        assert_eq!(other.level(Some("urn:a")), AuthenticationLevel::Two);
        assert_eq!(Config::read(&config.to_toml(), []).unwrap(), config);
        let changed =
            read(WHOLE, &[("IDP_UPSTREAM__OTHER__ENABLED", "false"), ("IDP_UPSTREAM__OTHER__SCOPES", "openid,a")]);
        let changed = changed.unwrap();
        assert!(!changed.upstream.0["other"].enabled);
        assert_eq!(changed.upstream.0["other"].scopes, ["openid", "a"]);
        assert!(read("", &[]).unwrap().upstream.0.is_empty());
    }

    #[test]
    fn a_missing_or_unknown_level_is_the_lowest() {
        let other = &read(WHOLE, &[]).unwrap().upstream.0["other"];
        for (acr, level) in [
            (None, AuthenticationLevel::One),
            (Some(""), AuthenticationLevel::One),
            (Some("urn:b"), AuthenticationLevel::One),
            (Some("URN:A"), AuthenticationLevel::One),
            (Some("2"), AuthenticationLevel::One),
            (Some("loa3"), AuthenticationLevel::Three),
        ] {
            assert_eq!(other.level(acr), level, "{acr:?}");
        }
    }

    #[test]
    fn the_last_day_ends_at_midnight_in_vietnam() {
        let other = &read(WHOLE, &[]).unwrap().upstream.0["other"];
        // 2024-06-30 17:00:00 UTC.
        let end = Moment::from_unix(1_719_766_800);
        assert_eq!(other.ends(), Some(end));
        assert!(!other.has_ended(end - Span::seconds(1)) && other.has_ended(end));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_key() {
        for (from, to, key) in [
            ("https://op.example.vn/realms/a", "http://op.example.vn", "upstream.other.issuer"),
            ("https://op.example.vn/realms/a", "http://localhost:9", "upstream.other.issuer"),
            ("https://op.example.vn/realms/a", "https://10.0.0.1", "upstream.other.issuer"),
            ("https://op.example.vn/realms/a", "https://id.gov.vn", "upstream.other.issuer"),
            ("\"idp\"", "\"\"", "upstream.other.client_id"),
            ("Cổng khác", " ", "upstream.other.name_vi"),
            ("2024-06-30", "30/06/2024", "upstream.other.ends_at"),
            ("ends_at = \"2024-06-30\"\n", "", "upstream.other.ends_at"),
            ("= 2,", "= 5,", "upstream.other.levels"),
            ("[upstream.other]", "[upstream.Other_1]", "upstream.Other_1"),
            ("kind = ", "trusts_account_level = true\nkind = ", "upstream.other"),
            ("kind = \"legacy\"", "kind = \"friend\"", "upstream.other"),
        ] {
            let text = WHOLE.replace(from, to);
            assert_ne!(text, WHOLE, "{from}");
            let refused = read(&text, &[]).unwrap_err();
            assert!(refused.key.starts_with(key), "{to}: {refused}");
        }
        let twice = format!("{WHOLE}{}", WHOLE.replace("other", "twin"));
        assert_eq!(read(&twice, &[]).unwrap_err().key, "upstream.twin.issuer");
        assert!(read(WHOLE, &[("IDP_UPSTREAM__OTHER__NONSENSE", "1")]).is_err());
    }
}
