//! `admin case …`.

use clap::Subcommand;
use idp::domain::Id;
use idp::flow::cases::{self, Shown};
use idp::idp::Idp;

use super::{Told, failed, told};

#[derive(Subcommand)]
pub enum Case {
    /// The cases that wait, the longest first.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        #[arg(long)]
        json: bool,
    },
    /// One case. The first look is a step its holder sees.
    Show {
        #[arg(value_name = "NUMBER")]
        case: String,
        /// Who looks.
        #[arg(long, value_name = "TEXT")]
        by: String,
        #[arg(long)]
        json: bool,
    },
    /// Close a case with the answer its holder reads.
    Close {
        #[arg(value_name = "NUMBER")]
        case: String,
        #[arg(long, value_name = "TEXT")]
        by: String,
        #[arg(long, value_name = "TEXT")]
        note: String,
        #[arg(long)]
        json: bool,
    },
}

impl Case {
    pub async fn carry_out(self, idp: &Idp) -> Told {
        match self {
            Case::List { all, json } => {
                let listed = cases::list(all, idp).await.map_err(failed)?;
                if json {
                    return serde_json::to_string(&listed).map_err(|error| error.to_string());
                }
                Ok(listed.iter().map(line).collect::<Vec<_>>().join("\n"))
            }
            Case::Show { case, by, json } => {
                told(cases::show(Id::new(case), by, idp).await, |shown| written(&shown, json))
            }
            Case::Close { case, by, note, json } => {
                told(cases::close(Id::new(case), by, note, idp).await, |shown| written(&shown, json))
            }
        }
    }
}

fn line(shown: &Shown) -> String {
    let since = shown.steps.first().map_or(0, |step| step.at);
    format!("{}  {:8} {:10} {since}  {}", shown.case, shown.about, shown.step, shown.account)
}

fn written(shown: &Shown, json: bool) -> String {
    if json {
        return serde_json::to_string(shown).unwrap_or_default();
    }
    let steps = shown.steps.iter().map(|step| {
        let by = step.by.as_deref().map(|by| format!("  by {by}")).unwrap_or_default();
        let note = step.note.as_deref().map(|note| format!("  {note}")).unwrap_or_default();
        format!("  {:10} {}{by}{note}", step.step, step.at)
    });
    std::iter::once(line(shown)).chain(steps).collect::<Vec<_>>().join("\n")
}
