//! `admin trail …`.

use clap::Subcommand;
use idp::domain::PersonNumber;
use idp::flow;
use idp::idp::Idp;

use super::{Told, person_number, told};

#[derive(Subcommand)]
pub enum Trail {
    /// Every event of one citizen's account, oldest first, one JSON object a line. The export is an event itself.
    Export {
        #[arg(value_parser = person_number, value_name = "PERSON_NUMBER")]
        number: PersonNumber,
        /// The events are JSON in any case.
        #[arg(long)]
        json: bool,
    },
}

impl Trail {
    pub async fn carry_out(self, idp: &Idp) -> Told {
        let Trail::Export { number, json: _ } = self;
        told(flow::trail::export(&number, idp).await, |events| {
            events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })
    }
}
