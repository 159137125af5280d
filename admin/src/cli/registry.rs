//! `admin registry …`.

use clap::Subcommand;
use idp::flow::registry_events;
use idp::idp::Idp;
use serde_json::json;

use super::{Told, failed};

#[derive(Subcommand)]
pub enum Registry {
    /// How far the feed of events was read, and what came of the newest ones. No person is named.
    Events {
        #[arg(long, default_value_t = 20)]
        newest: i64,
        #[arg(long)]
        json: bool,
    },
}

impl Registry {
    pub async fn carry_out(self, idp: &Idp) -> Told {
        let Registry::Events { newest, json } = self;
        let standing = registry_events::standing(newest.clamp(0, 1000), idp).await.map_err(failed)?;
        let mut lines = Vec::new();
        let mut feeds = Vec::new();
        for feed in &standing.feeds {
            let age = standing.now.since(feed.read_at).as_seconds();
            feeds.push(
                json!({"feed": feed.name, "cursor": feed.cursor, "age_seconds": age, "newest_at": feed.newest_at}),
            );
            lines.push(format!("{}: read {age} s ago up to {}", feed.name, feed.cursor));
        }
        let mut events = Vec::new();
        for (id, kind, happened, applied, outcome) in &standing.recent {
            events.push(json!({"id": id, "kind": kind, "at": happened, "applied_at": applied, "outcome": outcome}));
            lines.push(format!("{id}  {kind:13} {outcome:10} happened {} applied {}", happened.unix(), applied.unix()));
        }
        if json {
            return Ok(json!({"feeds": feeds, "events": events}).to_string());
        }
        Ok(if lines.is_empty() { "no feed was read yet".to_owned() } else { lines.join("\n") })
    }
}
