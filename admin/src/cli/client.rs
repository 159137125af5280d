//! `admin client …`.

use std::path::PathBuf;

use clap::Subcommand;
use idp::domain::Id;
use idp::flow;
use idp::idp::Idp;
use serde_json::{Value, json};

use super::invitation::{self, Invite};
use super::trace::Trace;
use super::{Told, failed, read_file, told};

#[derive(Subcommand)]
pub enum Client {
    /// Create or replace by `client_id`. A minted secret is printed once.
    Put {
        /// Registration metadata as JSON; `-` reads standard input.
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// Every client with its status.
    List {
        #[arg(long)]
        json: bool,
    },
    /// The metadata of one client, never its secret.
    Show {
        #[arg(value_name = "ID")]
        id: String,
        /// The metadata are JSON in any case.
        #[arg(long)]
        json: bool,
    },
    /// Nothing works for the client until it is resumed.
    Suspend {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Lift a suspension.
    Resume {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// End the client for good.
    Close {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Requests of the client that were refused in the last seven days, and the rule each broke; the newest first.
    Trace(Trace),
    /// Let clients register themselves at `/register`; the token is printed once.
    Invite(Box<Invite>),
    /// Every invitation, with the uses it has left.
    Invitations {
        #[arg(long)]
        json: bool,
    },
    /// Take an invitation back; clients it brought stay.
    Uninvite {
        #[arg(value_name = "ID")]
        id: String,
    },
}

impl Client {
    pub async fn carry_out(self, idp: &Idp) -> Told {
        match self {
            Client::Trace(trace) => trace.carry_out(idp).await,
            Client::Invite(invite) => invite.carry_out(idp).await,
            Client::Invitations { json } => invitation::list(json, idp).await,
            Client::Uninvite { id } => invitation::revoke(&id, idp).await,
            Client::Put { file, json } => {
                told(flow::client::put(&read_file(&file)?, idp).await, |put| written(&put, json))
            }
            Client::List { json } => list(json, idp).await,
            Client::Show { id, json: _ } => {
                told(flow::client::show(&Id::new(id), idp).await, |shown| format!("{shown:#}"))
            }
            Client::Suspend { id } => {
                told(flow::client::suspend(&Id::new(id.as_str()), idp).await, |()| format!("{id} suspended"))
            }
            Client::Resume { id } => {
                told(flow::client::resume(&Id::new(id.as_str()), idp).await, |()| format!("{id} live"))
            }
            Client::Close { id } => {
                told(flow::client::close(&Id::new(id.as_str()), idp).await, |()| format!("{id} closed"))
            }
        }
    }
}

fn written(put: &flow::client::Put, json: bool) -> String {
    let secret = put.secret.as_ref().map(|secret| secret.reveal());
    if json {
        let mut shown = json!({ "client_id": put.id, "created": put.created });
        if let (Some(members), Some(secret)) = (shown.as_object_mut(), secret) {
            members.insert("client_secret".to_owned(), secret.into());
        }
        return shown.to_string();
    }
    let done = format!("{} {}", put.id, if put.created { "created" } else { "replaced" });
    match secret {
        Some(secret) => format!("{done}\nclient_secret: {secret}\n(shown this once)"),
        None => done,
    }
}

async fn list(json: bool, idp: &Idp) -> Told {
    let clients = flow::client::list(idp).await.map_err(failed)?;
    if json {
        let rows: Vec<Value> = clients
            .iter()
            .map(|registered| {
                json!({
                    "client_id": registered.client.id,
                    "client_name": registered.client.client_name,
                    "vn_relying_party": registered.client.relying_party,
                    "status": registered.status.name(),
                })
            })
            .collect();
        return Ok(Value::from(rows).to_string());
    }
    let rows = clients.iter().map(|registered| {
        let client = &registered.client;
        format!("{}\t{}\t{}\t{}", client.id, registered.status.name(), client.client_name.vi, client.relying_party.vi)
    });
    Ok(rows.collect::<Vec<_>>().join("\n"))
}
