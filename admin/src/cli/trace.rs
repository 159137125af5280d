//! `admin client trace`.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use idp::domain::refused_request::{Parameter, RefusedRequest};
use idp::domain::{Client, Id};
use idp::flow;
use idp::flow::operator::Verdict;
use idp::idp::Idp;
use idp::protocol::trace::{PAGE, Wanted, described};
use idp::web::page::calendar;
use serde_json::Value;

use super::{Told, failed};

/// How often new ones are looked for.
const PACE: Duration = Duration::from_secs(1);

#[derive(Args)]
pub struct Trace {
    #[arg(value_name = "ID")]
    id: String,
    /// Only what a page, a log line or the header `X-Request-Id` gave this reference.
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
    /// One JSON array; with `--follow` one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Stay, and print refusals as they come.
    #[arg(long)]
    follow: bool,
}

impl Trace {
    pub async fn carry_out(self, idp: &Idp) -> Told {
        let client = Id::new(self.id.as_str());
        if self.follow {
            return self.follow(&client, idp).await;
        }
        let mut found = self.list(&client, idp).await?;
        found.truncate(PAGE);
        if self.json {
            return Ok(
                Value::from(found.iter().map(|one| Value::Object(described(one))).collect::<Vec<_>>()).to_string()
            );
        }
        Ok(found.iter().map(told).collect::<Vec<_>>().join("\n\n"))
    }

    async fn list(&self, client: &Id<Client>, idp: &Idp) -> Result<Vec<RefusedRequest>, String> {
        let reference = self.reference.as_deref().map(|text| text.trim().to_ascii_uppercase());
        match flow::trace::list(client, Wanted { reference, before: None }, idp).await.map_err(failed)? {
            Verdict::Done(found) => Ok(found),
            Verdict::Refused(why) => Err(why),
        }
    }

    /// The last page is looked at again and again, so that what another server wrote a little late is not missed.
    async fn follow(&self, client: &Id<Client>, idp: &Idp) -> Told {
        let mut seen: BTreeSet<Id<RefusedRequest>> = BTreeSet::new();
        loop {
            let found = self.list(client, idp).await?;
            for one in found.iter().rev().filter(|one| !seen.contains(&one.id)) {
                println!("{}", if self.json { Value::Object(described(one)).to_string() } else { told(one) + "\n" });
            }
            seen = found.into_iter().map(|one| one.id).collect();
            tokio::time::sleep(PACE).await;
        }
    }
}

fn told(refused: &RefusedRequest) -> String {
    let (at, endpoint) = (calendar::second(refused.at), refused.endpoint.name());
    let mut lines = vec![
        format!("{}  {at}  {endpoint}  {}", refused.reference, refused.error),
        format!("  {}: {}", refused.clause, refused.told),
    ];
    lines.extend(refused.reason.as_ref().map(|reason| format!("  {reason}")));
    lines.extend(refused.parameters.iter().map(Parameter::line).map(|line| format!("    {line}")));
    if refused.repeated > 0 {
        lines.push(format!("  and {} more like it, only counted", refused.repeated));
    }
    lines.join("\n")
}
