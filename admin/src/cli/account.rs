//! `admin account …`.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use idp::domain::PersonNumber;
use idp::flow;
use idp::flow::account::Shown;
use idp::idp::Idp;
use serde_json::json;

use super::{Told, person_number, read_file, told};

#[derive(Subcommand)]
pub enum Account {
    /// Create or replace accounts by person number: the whole file or nothing.
    Import {
        /// One JSON object a line; `-` reads standard input.
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// One account, identifiers masked.
    Show {
        #[arg(value_parser = person_number, value_name = "PERSON_NUMBER")]
        number: PersonNumber,
        /// Show everything in clear. The citizen's trail remembers it.
        #[arg(long)]
        reveal: bool,
        #[arg(long)]
        json: bool,
    },
    /// Activate an account whose seven days are over, as the hotline spoke to its holder (ND69 Art 14(1)).
    Activate {
        #[arg(value_parser = person_number, value_name = "PERSON_NUMBER")]
        number: PersonNumber,
        /// The hotline's reference of the case; nothing personal.
        #[arg(long, value_name = "TEXT")]
        hotline_case: String,
    },
    /// Ask the registers anew who the holder is and what papers there are.
    Refresh {
        #[arg(value_parser = person_number, value_name = "PERSON_NUMBER")]
        number: PersonNumber,
        #[arg(long)]
        json: bool,
    },
    /// The holder was proofed in person as at enrolment: a recovered account has its level back.
    Reproof {
        #[arg(value_parser = person_number, value_name = "PERSON_NUMBER")]
        number: PersonNumber,
        /// Who proofed, and by which document.
        #[arg(long, value_name = "TEXT")]
        authority: String,
    },
}

impl Account {
    pub async fn carry_out(self, idp: &Arc<Idp>) -> Told {
        match self {
            Account::Import { file, json } => told(flow::account::import(&read_file(&file)?, idp).await, |imported| {
                if json {
                    json!({ "created": imported.created, "replaced": imported.replaced }).to_string()
                } else {
                    format!("{} created, {} replaced", imported.created, imported.replaced)
                }
            }),
            Account::Show { number, reveal, json } => told(flow::account::show(&number, reveal, idp).await, |shown| {
                if json { json!(shown).to_string() } else { written(&shown) }
            }),
            Account::Activate { number, hotline_case } => {
                told(flow::activate::by_hotline(number, &hotline_case, idp).await, |()| "activated".to_owned())
            }
            Account::Refresh { number, json } => told(flow::papers::refresh(number, idp).await, |done| {
                if json {
                    json!({"stated": done.stated, "malformed": done.refused, "unanswered": done.unanswered}).to_string()
                } else {
                    let (stated, malformed) = (done.stated.len(), done.refused.len());
                    format!("{stated} stated, {malformed} malformed, {} registers unanswered", done.unanswered.len())
                }
            }),
            Account::Reproof { number, authority } => {
                told(flow::recover::reproof(&number, &authority, idp).await, |()| "proofed again".to_owned())
            }
        }
    }
}

fn written(shown: &Shown) -> String {
    let mut text = format!("account: {}\nperson_number: {}", shown.id, shown.person_number);
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(text, "\n{name}: {value}");
        }
    };
    let level = shown.level.map(|level| level.to_string());
    let (grounds, card_expires) = (shown.grounds.join(" "), shown.card_expires.map(|at| at.to_string()));
    line("name", shown.name.as_deref());
    line("holder", Some(shown.holder));
    line("level", level.as_deref());
    line("state", Some(shown.state));
    line("eid", shown.eid);
    line("grounds", (!grounds.is_empty()).then_some(grounds.as_str()));
    line("card_expires", card_expires.as_deref());
    line("guardian", shown.guardian.as_deref());
    line("ward", shown.ward.then_some("yes"));
    for (name, at) in [
        ("permit_expires", shown.permit_expires),
        ("passport_expires", shown.passport_expires),
        ("dissolved_at", shown.dissolved_at),
    ] {
        line(name, at.map(|at| at.to_string()).as_deref());
    }
    for one in &shown.representatives {
        let acts = if one.acts_now { "" } else { " (does not act now)" };
        line("representative", Some(&format!("{} {}{acts}", one.person_number, one.role)));
    }
    line("phone", shown.phone.as_deref());
    line("email", shown.email.as_deref());
    line("password", Some(if shown.has_password { "set" } else { "none" }));
    line("operator", shown.operator.then_some("yes"));
    for (name, claim) in &shown.claims {
        let value = claim.value.as_ref().map_or_else(|| format!("({})", claim.source), ToString::to_string);
        line(&format!("claim {name}"), Some(&value));
    }
    text
}
