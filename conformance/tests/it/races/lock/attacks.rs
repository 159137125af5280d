//! Who attacks, and what becomes of what they won.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Ground;
use crate::support::app::{Phone, refusal};
use crate::support::ask::Ask;
use crate::support::attempt::{Attempt, Way, Won, step_of};
use crate::support::equipped::at_qr;
use crate::support::flow::sign_in_form;
use crate::support::holder::Holder;
use crate::support::verdict;

pub struct Attack {
    pub name: &'static str,
    /// Whoever signs in or steps up has a browser of their own: it takes the session of its browser further, and a press
    /// under way with the old cookie would be a stranger's (SE-01).
    pub attempt: Attempt,
    /// Again and again until it comes too late, or once.
    pub again: bool,
    pub after: Duration,
}

/// The new password of a recovery that went through.
pub const NEW_PASSWORD: &str = "bốn con trâu gặm cỏ";

impl Attack {
    /// After the lock: nothing of what was won works, and no session came of it.
    pub async fn is_dead(&self, won: &[Won], ground: &Ground, holder: &Holder) {
        let (idp, browser) = (&ground.abroad.sandbox, &self.attempt.browser);
        let at = browser.open("/identity").await;
        assert_eq!(at.page().name(), "sign-in", "{}: a session outlived the lock", self.name);
        for one in won {
            if let Won::Code((client, ask), code) = one {
                verdict::token_error(&client.redeem(code, &ask.verifier).await, 400, "invalid_grant");
            }
        }
        if !won.iter().any(|one| matches!(one, Won::Done)) {
            return;
        }
        let stranger = idp.visitor();
        match &self.attempt.way {
            Way::Approve(_, _, screen) => {
                let end = browser.open(screen.url.as_str()).await;
                assert!(end.returned().is_none(), "{}: the approval entered after the lock", self.name);
            }
            Way::Bind(_, bound) => {
                let device = bound.lock().unwrap().take().unwrap();
                let (_, code) = at_qr(&stranger, &Ask::of(&ground.clients[0])).await;
                assert_eq!(refusal(&Phone::of(device).scan(&code).await), "account_barred");
            }
            Way::Link(_, _, sub) => {
                let at = stranger.open(&ground.abroad.arrival_at_plain(&stranger, sub).await).await;
                assert_eq!(at.page().name(), "locked", "{}", at.page().text);
            }
            Way::Recover(_, _, "done") => {
                let at = ground.abroad.door(&stranger).await;
                let at = stranger.submit(&at, &sign_in_form(&at, &holder.number, NEW_PASSWORD)).await;
                assert_eq!(at.page().name(), "locked", "{}", at.page().text);
            }
            Way::Recover(..) => assert_eq!(step_of(&browser.open("/recover").await), "over"),
            _ => {}
        }
    }
}

/// How often each of them won.
#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    pub fn count(&mut self, attack: &Attack, won: &[Won]) {
        let wins = won.iter().filter(|one| !one.is_refused()).count();
        *self.0.entry(attack.name).or_default() += wins;
    }

    pub fn told(&self) -> String {
        self.0.iter().map(|(name, wins)| format!("{name} {wins}")).collect::<Vec<_>>().join(", ")
    }
}
