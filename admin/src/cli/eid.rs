//! `admin eid …`.

mod many;

use std::sync::Arc;

use clap::{Args, Subcommand};
use idp::domain::PersonNumber;
use idp::domain::eid::{LockGround, LockOrder, Turned};
use idp::flow::eid_lock::{self, Locked};
use idp::idp::Idp;
use serde_json::json;

use super::{Told, person_number, told};

#[derive(Subcommand)]
pub enum Eid {
    /// Add a ground. Everything the account ever signed in to ends at once.
    Lock(Order),
    /// Add a ground to everybody in a file, several at a time.
    LockAll(many::Many),
    /// Remove one ground. Nothing that was ended comes back.
    Unlock(Order),
}

#[derive(Args)]
pub struct Order {
    #[arg(value_parser = person_number, value_name = "PERSON_NUMBER")]
    number: PersonNumber,
    /// The letter of LCC Art 34(1): a holder asks, b agreement broken, c card withdrawn, d death, đ authority asks.
    #[arg(long, value_parser = ground, value_name = "a|b|c|d|đ")]
    ground: LockGround,
    /// Who decided, and by which document.
    #[arg(long, value_name = "TEXT")]
    authority: String,
    #[arg(long)]
    json: bool,
}

impl Order {
    fn order(&self) -> Result<LockOrder, &'static str> {
        LockOrder::official(self.ground, self.authority.as_str()).ok_or("--authority must name who decided")
    }
}

fn ground(letter: &str) -> Result<LockGround, &'static str> {
    LockGround::parse(letter).ok_or("a ground is one of a, b, c, d, đ")
}

impl Eid {
    pub async fn carry_out(self, idp: &Arc<Idp>) -> Told {
        let (given, ended) = match self {
            Eid::LockAll(many) => return many.carry_out(idp).await,
            Eid::Lock(given) => {
                let order = given.order()?;
                let ended = eid_lock::lock(&given.number, order, idp).await;
                (given, ended)
            }
            Eid::Unlock(given) => {
                let order = given.order()?;
                let ended = eid_lock::unlock(&given.number, order, idp).await;
                (given, ended)
            }
        };
        told(ended, |locked| written(&locked, given.json))
    }
}

fn written(locked: &Locked, json: bool) -> String {
    let changed = locked.turned == Turned::Changed;
    if json {
        let state = if locked.grounds.is_empty() { "active" } else { "locked" };
        return json!({ "account": locked.account, "eid": state, "grounds": locked.grounds, "changed": changed })
            .to_string();
    }
    let state = match locked.grounds.as_slice() {
        [] => "active".to_owned(),
        grounds => format!("locked on {}", grounds.join(", ")),
    };
    format!("e-ID {state}{}", if changed { "" } else { " (unchanged)" })
}
