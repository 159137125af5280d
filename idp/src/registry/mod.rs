//! Registry: the state's registers, asked over HTTP - the population database and the ministries' registers.
//!
//! Owns: the questions, how an answer is read, how often a question is asked again, and when a register that fails is left
//! alone. A register down never reaches a sign-in: nothing on that way asks one. Must not know: who asks, what is
//! decided, how a connection is made - that arrives as a trait object.

mod breaker;
mod http;
mod read;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use http::Source;

pub use crate::domain::register::{
    Card, CardStatus, EventPage, Paper, Papers, Record, RegistryEvent, RegistryEventKind,
};
use crate::domain::{Fault, Moment, PersonNumber};

const ROOM: &str = "registry";

/// The register that says who somebody is.
pub const POPULATION: &str = "population-register";

/// A future a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// One question to one address: JSON in the body, so that no person number stands in a URL.
pub struct Question<'a> {
    pub url: &'a str,
    pub bearer: Option<&'a str>,
    pub body: &'a serde_json::Value,
    pub within: Duration,
}

/// Who makes the connection.
pub trait Ask: Send + Sync {
    /// Posts JSON and answers the status and the body, which is bounded.
    fn ask<'a>(&'a self, question: Question<'a>) -> Pending<'a, (u16, Vec<u8>)>;
}

/// How patient every source is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub within: Duration,
    pub retries: u32,
    pub failures_to_open: u32,
    pub open_seconds: i64,
}

/// A register by its name, address and credential.
#[derive(Clone)]
pub struct Address {
    pub name: &'static str,
    pub url: String,
    pub token: Option<String>,
}

/// The registers of this provider.
pub struct Registry {
    population: Option<Source>,
    ministries: Vec<Source>,
}

impl Registry {
    pub fn new(
        population: Option<Address>,
        ministries: Vec<Address>,
        patience: Patience,
        ask: &Arc<dyn Ask>,
    ) -> Registry {
        let source = |address| Source::new(address, patience, Arc::clone(ask));
        Registry { population: population.map(source), ministries: ministries.into_iter().map(source).collect() }
    }

    /// Whether there is anybody to ask who a person is.
    pub fn is_there(&self) -> bool {
        self.population.is_some()
    }

    /// Every source, for figures.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.population.iter().chain(&self.ministries)
    }

    /// The registers that hold papers and nothing else.
    pub fn ministries(&self) -> impl Iterator<Item = &Source> {
        self.ministries.iter()
    }

    /// A person as the population database holds one; `None` when it knows no such number.
    pub async fn find(&self, number: &PersonNumber, now: Moment) -> Result<Option<Record>, Fault> {
        let answer = self.population()?.person(number, now).await?;
        read::record(&answer, number).map_err(|reason| Fault::unavailable(ROOM, reason))
    }

    /// What a ministry's register holds about a person.
    pub async fn papers(&self, source: &Source, number: &PersonNumber, now: Moment) -> Result<Papers, Fault> {
        let answer = source.person(number, now).await?;
        read::papers(&answer, number).map_err(|reason| Fault::unavailable(ROOM, reason))
    }

    /// What happened after the event named, the oldest first.
    pub async fn events_after(&self, cursor: Option<&str>, limit: u32, now: Moment) -> Result<EventPage, Fault> {
        let answer = self.population()?.events(cursor, limit, now).await?;
        read::events(&answer).map_err(|reason| Fault::unavailable(ROOM, reason))
    }

    fn population(&self) -> Result<&Source, Fault> {
        self.population.as_ref().ok_or_else(|| Fault::unavailable(ROOM, "registry.url is not set"))
    }
}
