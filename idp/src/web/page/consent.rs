//! The consent page, and the text the holder's decision is given to.
//!
//! PDPL Art 9: consent holds only when the data types, the purpose, the controller and one's rights were known.
//! ND356 Art 6: it is expressed, never pre-ticked, and provable; `consent_text` is what is proved.

use std::collections::BTreeMap;
use std::fmt::Write;

use askama::Template;
use serde_json::Value;

use super::{Asker, Frame, preview, rendered};
use crate::domain::Fault;
use crate::domain::claim::ClaimName;
use crate::domain::consent::Purpose;
use crate::domain::relying_party::LegalBasis;

/// One claim as it would leave.
#[derive(Clone, Debug)]
pub struct ClaimView {
    pub name: &'static str,
    pub label: &'static str,
    /// Lines of the previewed value; empty when the record holds none.
    pub value: String,
    /// An image the record holds, as a `data:` address.
    pub image: Option<String>,
    pub sensitive: bool,
}

impl ClaimView {
    pub fn of(claim: ClaimName, values: &BTreeMap<ClaimName, Value>, language: &str) -> ClaimView {
        let held = values.get(&claim);
        let mut value = held.map(|value| preview(claim, value, language)).unwrap_or_default();
        // What is stated beside a claim goes with it and is shown with it.
        for companion in companions(claim) {
            if let Some(stated) = values.get(&companion) {
                let _ = write!(value, " ({})", preview(companion, stated, language));
            }
        }
        ClaimView {
            name: claim.as_str(),
            label: claim.label(language),
            value,
            image: held.and_then(preview::image),
            sensitive: claim.entry().sensitive,
        }
    }
}

fn companions(claim: ClaimName) -> impl Iterator<Item = ClaimName> {
    ClaimName::all().filter(move |other| other.entry().with == Some(claim.as_str()))
}

/// One purpose with what it asks for now.
#[derive(Clone, Debug)]
pub struct PurposeView {
    pub id: String,
    pub title: String,
    /// Goes with `#allow`; listed without a box.
    pub required: Vec<ClaimView>,
    /// Goes only when ticked.
    pub optional: Vec<ClaimView>,
    /// Why sensitive data is needed; shown when any is asked for.
    pub sensitive_reason: Option<String>,
}

impl PurposeView {
    /// `values` are those of the holder's record by claim. A claim that is only stated beside another is shown
    /// with it, not by itself.
    pub fn of(
        purpose: &Purpose,
        required: &[ClaimName],
        optional: &[ClaimName],
        values: &BTreeMap<ClaimName, Value>,
        language: &str,
    ) -> PurposeView {
        let beside_another = |claim: &ClaimName| {
            claim.entry().with.is_some_and(|with| required.iter().chain(optional).any(|other| other.as_str() == with))
        };
        let views = |claims: &[ClaimName]| -> Vec<ClaimView> {
            claims
                .iter()
                .filter(|claim| !beside_another(claim))
                .map(|claim| ClaimView::of(*claim, values, language))
                .collect()
        };
        PurposeView {
            id: purpose.id.clone(),
            title: purpose.title.in_language(language).to_owned(),
            required: views(required),
            optional: views(optional),
            sensitive_reason: purpose.sensitive_reason.as_ref().map(|reason| reason.in_language(language).to_owned()),
        }
    }

    fn is_sensitive(&self) -> bool {
        self.required.iter().chain(&self.optional).any(|claim| claim.sensitive)
    }
}

/// A server the access asked for would be used at (RFC 8707).
#[derive(Clone, Debug)]
pub struct ServerView {
    pub name: String,
    pub resource: String,
}

#[derive(Clone, Debug, Template)]
#[template(path = "consent.html")]
pub struct Consent {
    pub frame: Frame,
    pub asker: Asker,
    pub service: Option<String>,
    /// Whose record it is: the holder's name, or the masked number where the record has none.
    pub holder: String,
    pub servers: Vec<ServerView>,
    pub purposes: Vec<PurposeView>,
    /// `offline_access` is asked: the client may read while the holder is away.
    pub offline: bool,
    pub basis: LegalBasis,
}

impl Consent {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn by_law(&self) -> bool {
        self.basis == LegalBasis::Law
    }

    fn has_boxes(&self) -> bool {
        !self.by_law() && self.purposes.iter().any(|purpose| !purpose.optional.is_empty())
    }

    /// A claim asked for by several purposes has one box, in the first of them: the answer names the claim only.
    fn has_box(&self, purpose: &PurposeView, name: &str) -> bool {
        let mut earlier = self.purposes.iter().take_while(|other| other.id != purpose.id);
        !earlier.any(|other| other.optional.iter().any(|claim| claim.name == name))
    }

    fn key(&self, part: &str) -> String {
        format!("consent.{}.{part}", if self.by_law() { "law" } else { "consent" })
    }

    /// With nothing but `offline_access` left to ask, there is no list below.
    fn lead(&self) -> String {
        if self.purposes.is_empty() {
            self.frame.fill("consent.only_offline", "client", &self.asker.name)
        } else {
            self.says("lead")
        }
    }

    fn says(&self, part: &str) -> String {
        self.frame.fill(&self.key(part), "client", &self.asker.name)
    }
}

/// The exact text the holder decides on, without the values of the record: language, who asks, on what basis, for
/// which purposes and claims, and the rights stated. Its SHA-256 goes into the receipt. It depends on nothing but
/// the offer, so that the answer to a page hashes what the page showed.
pub fn consent_text(page: &Consent) -> String {
    let frame = &page.frame;
    let mut text = String::new();
    line(&mut text, "language", frame.language);
    line(&mut text, "client", &page.asker.name);
    line(&mut text, "controller", &page.asker.organisation);
    line(&mut text, "service", page.service.as_deref().unwrap_or_default());
    line(&mut text, "basis", if page.by_law() { "law" } else { "consent" });
    line(&mut text, "lead", &page.lead());
    for server in &page.servers {
        let told = frame.fill("consent.servers", "client", &page.asker.name);
        line(&mut text, "server", &format!("{told} {} {}", server.name, server.resource));
    }
    for purpose in &page.purposes {
        line(&mut text, "purpose", &format!("{} {}", purpose.id, purpose.title));
        for (kind, claims) in [("required", &purpose.required), ("optional", &purpose.optional)] {
            for claim in claims {
                let badge = if claim.sensitive { frame.t("consent.sensitive") } else { "".into() };
                line(&mut text, kind, format!("{} {} {badge}", claim.name, claim.label).trim_end());
            }
        }
        if purpose.is_sensitive() {
            line(&mut text, "reason", purpose.sensitive_reason.as_deref().unwrap_or_default());
        }
    }
    if page.offline {
        line(&mut text, "offline", &frame.fill("consent.offline", "client", &page.asker.name));
    }
    line(&mut text, "always", &frame.t("consent.always"));
    line(&mut text, "rights", &frame.t("consent.rights"));
    line(&mut text, "withdraw", &page.says("withdraw"));
    text
}

/// One line a statement: a line break inside a value cannot make a second one.
fn line(text: &mut String, name: &str, value: &str) {
    let value = value.replace(['\n', '\r'], " ");
    let _ = writeln!(text, "{name}: {value}");
}
