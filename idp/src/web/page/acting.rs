//! Pages about acting for another: a child or ward who waits for the guardian's word, and the choice for whom one acts.

use askama::Template;

use super::{Asker, Frame, rendered};
use crate::domain::confirmation::Stage;
use crate::domain::{Fault, Holder, Moment};
use crate::flow::acting::Offered;
use crate::flow::guardian::{Request, Waiting};

/// Seconds between two looks of the waiting page, which needs no script for it.
pub const LOOKS_AGAIN: u8 = 5;

#[derive(Clone, Debug, Template)]
#[template(path = "guardian.html")]
pub struct Guardian {
    pub frame: Frame,
    pub asker: Option<Asker>,
    pub service: Option<String>,
    /// The guardian's given name and masked number.
    pub guardian: Option<(String, String)>,
    pub stage: Option<Stage>,
    /// Where the guardian signs in on this browser, and the ward again.
    pub sign_in: String,
}

impl Guardian {
    pub fn of(frame: Frame, waiting: Waiting, interaction: &str) -> Guardian {
        let sign_in = frame.link(&format!("/sign-in?interaction={interaction}"));
        Guardian { frame, asker: None, service: None, guardian: waiting.guardian, stage: waiting.stage, sign_in }
    }

    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn waits(&self) -> bool {
        matches!(self.stage, Some(Stage::Waiting | Stage::Allowed))
    }

    /// What to say of how the word stands.
    fn key(&self) -> &'static str {
        match self.stage {
            Some(Stage::Waiting | Stage::Allowed) => "holders.guardian.waiting",
            Some(Stage::Refused) => "holders.guardian.refused",
            Some(Stage::Expired | Stage::Spent) => "holders.guardian.expired",
            None => "holders.guardian.nobody",
        }
    }

    fn seconds(&self) -> u8 {
        LOOKS_AGAIN
    }
}

/// Somebody one may act for.
#[derive(Clone, Debug)]
pub struct Other {
    pub id: String,
    pub name: String,
    pub organisation: bool,
}

#[derive(Clone, Debug, Template)]
#[template(path = "represent.html")]
pub struct Represent {
    pub frame: Frame,
    pub asker: Option<Asker>,
    pub service: Option<String>,
    /// The person's own name.
    pub own: String,
    pub others: Vec<Other>,
}

impl Represent {
    pub fn of(frame: Frame, own: String, offered: &[Offered]) -> Represent {
        let others = offered.iter().map(|one| Other {
            id: one.account.to_string(),
            name: one.name.clone(),
            organisation: one.holder == Holder::Organisation,
        });
        Represent { frame, asker: None, service: None, own, others: others.collect() }
    }

    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

/// One word a guardian is asked for.
#[derive(Clone, Debug)]
pub struct RequestLine {
    pub id: String,
    pub ward: String,
    pub portal: String,
    pub service: Option<String>,
    pub purposes: Vec<String>,
    pub asked_at: Moment,
    pub expires_at: Moment,
    pub network: String,
}

impl RequestLine {
    pub fn of(request: &Request, language: &str) -> RequestLine {
        RequestLine {
            id: request.id.to_string(),
            ward: request.ward.clone(),
            portal: request.portal.in_language(language).to_owned(),
            service: request.service.as_ref().map(|service| service.in_language(language).to_owned()),
            purposes: request.purposes.iter().map(|title| title.in_language(language).to_owned()).collect(),
            asked_at: request.asked_at,
            expires_at: request.expires_at,
            network: request.network.clone(),
        }
    }
}
