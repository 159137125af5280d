//! `admin client invite|invitations|uninvite`: leave to register at `/register` within a policy (`contract.md` 4).

use std::path::PathBuf;

use clap::Args;
use idp::domain::Id;
use idp::domain::invitation::Invitation;
use idp::flow;
use idp::flow::invitation::{Invited, Terms};
use idp::idp::Idp;
use serde_json::{Map, Value, json};

use super::{Told, failed, read_file, told};

/// What clients registered by the invitation get where they ask for nothing, and at most. Values are those of the
/// registration members.
#[derive(Args)]
pub struct Invite {
    /// Scopes, separated by spaces.
    #[arg(long, default_value = "openid")]
    scope: String,
    /// Grant types, separated by spaces.
    #[arg(long, default_value = "authorization_code refresh_token")]
    grant_types: String,
    /// Types of `authorization_details`, separated by spaces; none unless named.
    #[arg(long, default_value = "")]
    authorization_details_types: String,
    /// A JSON file with the `vn_purposes`; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    purposes: Option<PathBuf>,
    /// `consent` or `law`.
    #[arg(long)]
    legal_basis: Option<String>,
    /// `required` or `optional`.
    #[arg(long)]
    pkce: Option<String>,
    /// `issuer` or `token_endpoint`.
    #[arg(long)]
    assertion_audience: Option<String>,
    #[arg(long, value_name = "LEVEL")]
    min_account_level: Option<u8>,
    #[arg(long, value_name = "LEVEL")]
    min_auth_level: Option<u8>,
    /// Treat `acr_values` as demands.
    #[arg(long)]
    acr_demand: bool,
    #[arg(long)]
    profile: Option<String>,
    /// The organisation the clients belong to, as citizens read it.
    #[arg(long, value_name = "NAME")]
    relying_party: Option<String>,
    /// How many clients may be registered.
    #[arg(long, default_value_t = 1)]
    uses: i64,
    /// The last day of the invitation, YYYY-MM-DD; thirty days from now when absent.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    #[arg(long)]
    json: bool,
}

impl Invite {
    pub async fn carry_out(self, idp: &Idp) -> Told {
        let terms = Terms { uses: self.uses, until: self.until.clone() };
        let json = self.json;
        told(flow::invitation::invite(&self.policy()?, &terms, idp).await, |invited| written(&invited, json))
    }

    fn policy(self) -> Result<Value, String> {
        let purposes: Option<Value> = match &self.purposes {
            None => None,
            Some(file) => Some(serde_json::from_str(&read_file(file)?).map_err(|error| format!("not JSON: {error}"))?),
        };
        let grants: Vec<&str> = self.grant_types.split_ascii_whitespace().collect();
        let types: Vec<&str> = self.authorization_details_types.split_ascii_whitespace().collect();
        let mut policy = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            policy.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("scope", Some(self.scope.as_str().into()));
        put("grant_types", Some(grants.into()));
        put("authorization_details_types", Some(types.into()));
        put("vn_purposes", purposes);
        put("vn_legal_basis", self.legal_basis.map(Value::from));
        put("vn_pkce", self.pkce.map(Value::from));
        put("vn_assertion_audience", self.assertion_audience.map(Value::from));
        put("vn_min_account_level", self.min_account_level.map(Value::from));
        put("vn_min_auth_level", self.min_auth_level.map(Value::from));
        put("vn_acr_demand", self.acr_demand.then(|| Value::from(true)));
        put("vn_profile", self.profile.map(Value::from));
        put("vn_relying_party", self.relying_party.map(Value::from));
        Ok(policy.into())
    }
}

fn written(invited: &Invited, json: bool) -> String {
    let token = invited.token.reveal();
    if json {
        return json!({
            "id": invited.id,
            "initial_access_token": token,
            "uses": invited.uses,
            "expires_at": invited.expires_at,
        })
        .to_string();
    }
    format!("{} uses {}\ninitial_access_token: {token}\n(shown this once)", invited.id, invited.uses)
}

pub async fn list(json: bool, idp: &Idp) -> Told {
    let invitations = flow::invitation::list(idp).await.map_err(failed)?;
    if json {
        return Ok(Value::from(invitations.iter().map(row).collect::<Vec<_>>()).to_string());
    }
    let line = |invitation: &Invitation| {
        let state = if invitation.revoked_at.is_some() { "revoked" } else { "given" };
        let scope = invitation.policy.scope.join(" ");
        format!("{}\t{state}\t{}\t{}\t{scope}", invitation.id, invitation.uses_left, invitation.expires_at.unix())
    };
    Ok(invitations.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn row(invitation: &Invitation) -> Value {
    json!({
        "id": invitation.id,
        "policy": invitation.policy,
        "uses_left": invitation.uses_left,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "revoked_at": invitation.revoked_at,
    })
}

pub async fn revoke(id: &str, idp: &Idp) -> Told {
    told(flow::invitation::revoke(&Id::new(id), idp).await, |()| format!("{id} taken back"))
}
