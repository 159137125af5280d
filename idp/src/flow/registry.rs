//! The registers, opened by configuration, and what is asked of them on a holder's behalf.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::domain::Fault;
use crate::fetch::Fetch;
use crate::registry::{Address, Ask, POPULATION, Patience, Pending, Question, Registry};

/// The way out to the registers: the operator's own configuration, reached with the operator's own credential.
struct Line(Fetch);

impl Ask for Line {
    fn ask<'a>(&'a self, question: Question<'a>) -> Pending<'a, (u16, Vec<u8>)> {
        Box::pin(async move { self.0.ask(question.url, question.bearer, question.body, question.within).await })
    }
}

/// Without `registry.url` nobody is asked, and registrations wait.
pub fn open(config: &Config, fetch: &Fetch) -> Result<Registry, Fault> {
    let set = &config.registry;
    let mut sources = Vec::new();
    for (name, url, token_file) in [
        (POPULATION, &set.url, &set.token_file),
        ("traffic-register", &set.traffic_url, &set.traffic_token_file),
        ("insurance-register", &set.insurance_url, &set.insurance_token_file),
        ("tax-register", &set.tax_url, &set.tax_token_file),
    ] {
        let Some(url) = url.clone() else { continue };
        let token = token_file.as_deref().map(|path| token(name, path)).transpose()?;
        sources.push(Address { name, url, token });
    }
    let patience = Patience {
        within: Duration::from_millis(set.timeout_milliseconds),
        retries: set.retries,
        failures_to_open: set.failures_to_open,
        open_seconds: set.open_seconds,
    };
    let (population, ministries): (Vec<_>, Vec<_>) = sources.into_iter().partition(|source| source.name == POPULATION);
    let line: Arc<dyn Ask> = Arc::new(Line(fetch.clone()));
    Ok(Registry::new(population.into_iter().next(), ministries, patience, &line))
}

fn token(name: &str, path: &Path) -> Result<String, Fault> {
    let read = std::fs::read_to_string(path);
    let text = read.map_err(|error| Fault::unavailable("flow", format!("the token file of the {name}: {error}")))?;
    Ok(text.trim().to_owned())
}
