//! The part of «Danh tính của tôi» that keeps strangers out: devices that are known, and what was reported.

use super::Frame;
use crate::domain::Moment;
use crate::domain::agent::Agent;

/// One device the account signs in from.
#[derive(Clone, Debug)]
pub struct DeviceLine {
    pub handle: String,
    pub agent: Option<Agent>,
    pub first_seen_at: Option<Moment>,
    pub seen_at: Moment,
    /// The one that shows the page.
    pub here: bool,
}

/// One report and how far it has come.
#[derive(Clone, Debug)]
pub struct CaseLine {
    pub number: String,
    /// `session`, `release` or `device`.
    pub about: &'static str,
    /// What was reached so far, with its date.
    pub steps: Vec<(&'static str, Moment)>,
    pub note: Option<String>,
    pub is_open: bool,
}

/// `Chrome · Android`, in words; what is not known is said so.
pub fn agent_name(frame: &Frame, agent: Option<&Agent>) -> String {
    let Some(agent) = agent else { return frame.t("safety.agent.unknown").into_owned() };
    let (browser, system) = agent.parts();
    let browser = frame.t(&format!("safety.agent.browser_{browser}")).into_owned();
    let system = frame.t(&format!("safety.agent.system_{system}")).into_owned();
    format!("{browser} · {system}")
}
