//! Visit: a portal's own session with one browser. Kept in memory only: what a portal received is never written down.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use idp::domain::{Moment, Span};
use openidconnect::CsrfToken;

use super::site::Errand;
use crate::rp::logout_token::Ended;
use crate::rp::{Begun, Failure, SignedIn};

/// Idle time after which a visit is forgotten.
const IDLE: Span = Span::minutes(30);
/// More browsers than this at once, and the one idle longest is forgotten.
const MOST_VISITS: usize = 2_000;
/// Sign-ins one browser may have under way, in as many tabs.
const MOST_BEGUN: usize = 8;

/// What a portal knows of the browser before it.
pub struct Visit {
    begun: Vec<(Begun, &'static Errand)>,
    pub signed_in: Option<SignedIn>,
    /// What the last sign-in was for, finished or not.
    pub errand: Option<&'static Errand>,
    /// Why the last sign-in came to nothing.
    pub outcome: Option<Failure>,
    /// The provider said that the session ended, and nobody looked since.
    pub ended: bool,
    /// Goes into every form of this visit, so that no other site can send one.
    pub form_token: String,
    seen_at: Moment,
}

impl Visit {
    fn new(now: Moment) -> Self {
        Self {
            begun: Vec::new(),
            signed_in: None,
            errand: None,
            outcome: None,
            ended: false,
            form_token: unguessable(),
            seen_at: now,
        }
    }

    pub fn begin(&mut self, begun: Begun, errand: &'static Errand) {
        if self.begun.len() >= MOST_BEGUN {
            self.begun.remove(0);
        }
        self.outcome = None;
        self.ended = false;
        self.begun.push((begun, errand));
    }

    /// Whether a form was of this visit and not sent before.
    pub fn spend_token(&mut self, presented: &str) -> bool {
        let right = self.form_token == presented;
        if right {
            self.form_token = unguessable();
        }
        right
    }

    /// The sign-in an answer's `state` belongs to. Single use: a second answer finds nothing.
    pub fn take(&mut self, state: &str) -> Option<(Begun, &'static Errand)> {
        let place = self.begun.iter().position(|(begun, _)| begun.state == state)?;
        Some(self.begun.remove(place))
    }
}

#[derive(Default)]
pub struct Visits {
    rows: Mutex<HashMap<String, Visit>>,
}

impl Visits {
    /// Looks at or changes a visit that still stands.
    pub fn with<T>(&self, key: &str, now: Moment, look: impl FnOnce(&mut Visit) -> T) -> Option<T> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let visit = rows.get_mut(key).filter(|visit| now.since(visit.seen_at) <= IDLE)?;
        visit.seen_at = now;
        Some(look(visit))
    }

    /// Begins a visit; the answer is what the browser's cookie shall hold.
    pub fn open(&self, now: Moment) -> String {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|_, visit| now.since(visit.seen_at) <= IDLE);
        if rows.len() >= MOST_VISITS {
            let oldest = rows.iter().min_by_key(|(_, visit)| visit.seen_at).map(|(key, _)| key.clone());
            oldest.and_then(|key| rows.remove(&key));
        }
        let key = unguessable();
        rows.insert(key.clone(), Visit::new(now));
        key
    }

    /// A new cookie for the same visit, so that one planted before the sign-in is worth nothing after it.
    pub fn rekey(&self, key: &str) -> Option<String> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut visit = rows.remove(key)?;
        visit.form_token = unguessable();
        let fresh = unguessable();
        rows.insert(fresh.clone(), visit);
        Some(fresh)
    }

    /// Drops what is held of every citizen whose session ended elsewhere.
    pub fn end(&self, ended: &Ended) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for visit in rows.values_mut() {
            if visit.signed_in.as_ref().is_some_and(|signed_in| ended.means(&signed_in.id_claims)) {
                visit.signed_in = None;
                visit.errand = None;
                visit.ended = true;
            }
        }
    }

    pub fn close(&self, key: &str) -> Option<Visit> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

fn unguessable() -> String {
    CsrfToken::new_random_len(32).into_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_ends_by_idling_and_by_closing() {
        let visits = Visits::default();
        let start = Moment::from_unix(1_000);
        let key = visits.open(start);
        assert!(visits.with(&key, start + Span::minutes(29), |_| ()).is_some());
        assert!(visits.with(&key, start + Span::minutes(58), |_| ()).is_some(), "each look keeps it alive");
        assert!(visits.with(&key, start + Span::minutes(90), |_| ()).is_none());
        let key = visits.open(start);
        assert!(visits.close(&key).is_some());
        assert!(visits.with(&key, start, |_| ()).is_none());
    }

    #[test]
    fn a_new_key_leaves_the_old_one_worthless() {
        let visits = Visits::default();
        let now = Moment::from_unix(1_000);
        let old = visits.open(now);
        let before = visits.with(&old, now, |visit| visit.form_token.clone()).unwrap();
        let fresh = visits.rekey(&old).unwrap();
        assert!(visits.with(&old, now, |_| ()).is_none());
        assert_ne!(visits.with(&fresh, now, |visit| visit.form_token.clone()).unwrap(), before);
        assert!(visits.rekey("unknown").is_none());
    }
}
