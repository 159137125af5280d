//! Signing keys as the operator turns them (`contract.md` 5 and 8): a key is published a day before it signs, so that
//! no portal meets a signature it has no key for, and retired only when nothing it signed is still good.

use serde_json::json;

use crate::domain::key::StoredKey;
use crate::domain::relying_party::SigningAlg;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Moment, Span};
use crate::flow::operator::Verdict;
use crate::idp::Idp;
use crate::keys::Ring;
use crate::store;

/// How long a key is published before it signs, and stays published after the last token it signed expired.
const NOTICE: Span = Span::hours(24);

/// The longest anything we sign lives (an ID token).
const LONGEST_SIGNED: Span = Span::seconds(600);

/// Whether to observe the day of notice. `Now` is for a key that leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Announced,
    Now,
}

/// What a key is doing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Published, not signing yet.
    Announced,
    Signing,
    /// A newer key signs; this one still verifies.
    Superseded,
    Retired,
}

impl Stage {
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Announced => "announced",
            Stage::Signing => "signing",
            Stage::Superseded => "superseded",
            Stage::Retired => "retired",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub kid: String,
    pub alg: SigningAlg,
    pub stage: Stage,
    pub published_at: Moment,
    pub use_from: Moment,
    pub retired_at: Option<Moment>,
}

/// A new key for each of `algs`, beside the old ones.
pub async fn rotate(algs: &[SigningAlg], pace: Pace, idp: &Idp) -> Result<Vec<Listed>, Fault> {
    let now = idp.clock.now();
    let mut fresh = Vec::new();
    for alg in algs {
        let use_from = if pace == Pace::Now { now } else { now + NOTICE };
        fresh.push((Ring::mint(&idp.vault, *alg, now, use_from)?, idp.id::<Event>()?));
    }
    idp.store
        .transact(move |db| {
            for (key, event) in &fresh {
                store::key::put(db, key)?;
                let detail = json!({ "kid": key.kid, "alg": key.alg.name(), "use_from": key.use_from.unix() });
                store::trail::append(db, &Event::new(Kind::KeyRotated, now).with(detail), event)?;
            }
            Ok(listed(&fresh.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), now))
        })
        .await
}

pub async fn list(idp: &Idp) -> Result<Vec<Listed>, Fault> {
    let now = idp.clock.now();
    Ok(listed(&idp.store.read(store::key::list).await?, now))
}

/// Takes a superseded key out of use. `Pace::Now` does not wait for what it signed to expire.
pub async fn retire(kid: &str, pace: Pace, idp: &Idp) -> Result<Verdict<()>, Fault> {
    let now = idp.clock.now();
    let event = idp.id::<Event>()?;
    let kid = kid.to_owned();
    idp.store
        .transact(move |db| {
            let keys = store::key::list(db)?;
            if let Err(reason) = may_retire(&keys, &kid, pace, now) {
                return Ok(Verdict::Refused(reason));
            }
            store::key::retire(db, &kid, now)?;
            let detail = json!({ "kid": kid, "at_once": pace == Pace::Now });
            store::trail::append(db, &Event::new(Kind::KeyRetired, now).with(detail), &event)?;
            Ok(Verdict::Done(()))
        })
        .await
}

fn may_retire(keys: &[StoredKey], kid: &str, pace: Pace, now: Moment) -> Result<(), String> {
    let key = keys.iter().find(|key| key.kid == kid).ok_or("no key has this kid")?;
    if key.retired_at.is_some() {
        return Err("the key is retired already".to_owned());
    }
    match stage(keys, key, now) {
        Stage::Signing => Err(format!("the key signs {}: rotate first", key.alg.name())),
        Stage::Announced if pace == Pace::Announced => {
            Err("the key has not signed yet: add --now to drop it".to_owned())
        }
        Stage::Announced | Stage::Retired => Ok(()),
        Stage::Superseded => match successor(keys, key, now).map(|at| at + LONGEST_SIGNED + NOTICE) {
            Some(free) if pace == Pace::Announced && now < free => Err(format!(
                "what the key signed may still be good: retire it after {} s",
                free.since(now).as_seconds()
            )),
            _ => Ok(()),
        },
    }
}

fn listed(keys: &[StoredKey], now: Moment) -> Vec<Listed> {
    keys.iter()
        .map(|key| Listed {
            kid: key.kid.clone(),
            alg: key.alg,
            stage: stage(keys, key, now),
            published_at: key.published_at,
            use_from: key.use_from,
            retired_at: key.retired_at,
        })
        .collect()
}

fn stage(keys: &[StoredKey], key: &StoredKey, now: Moment) -> Stage {
    if key.retired_at.is_some() {
        Stage::Retired
    } else if key.use_from > now {
        Stage::Announced
    } else if successor(keys, key, now).is_some() {
        Stage::Superseded
    } else {
        Stage::Signing
    }
}

/// When the first newer key of the algorithm took over signing, if one has.
fn successor(keys: &[StoredKey], key: &StoredKey, now: Moment) -> Option<Moment> {
    let takes_over = |other: &&StoredKey| {
        let newer = (other.use_from, other.published_at, &other.kid) > (key.use_from, key.published_at, &key.kid);
        other.alg == key.alg && other.retired_at.is_none() && other.use_from <= now && newer
    };
    keys.iter().filter(takes_over).map(|other| other.use_from).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Sealed;

    const DAY: i64 = 86_400;

    fn key(kid: &str, use_from: i64, retired_at: Option<i64>) -> StoredKey {
        StoredKey {
            kid: kid.to_owned(),
            alg: SigningAlg::ES256,
            private: Sealed::from_text(String::new()),
            public: String::new(),
            published_at: Moment::from_unix(use_from - DAY),
            use_from: Moment::from_unix(use_from),
            retired_at: retired_at.map(Moment::from_unix),
        }
    }

    fn stages(keys: &[StoredKey], now: i64) -> Vec<Stage> {
        keys.iter().map(|one| stage(keys, one, Moment::from_unix(now))).collect()
    }

    #[test]
    fn contract_8_a_key_is_published_a_day_before_it_signs() {
        let keys = [key("old", 0, None), key("new", 10 * DAY, None)];
        assert_eq!(stages(&keys, 10 * DAY - 1), [Stage::Signing, Stage::Announced]);
        assert_eq!(stages(&keys, 10 * DAY), [Stage::Superseded, Stage::Signing]);
        let keys = [key("old", 0, Some(11 * DAY)), key("new", 10 * DAY, None)];
        assert_eq!(stages(&keys, 12 * DAY), [Stage::Retired, Stage::Signing]);
    }

    #[test]
    fn a_key_of_another_algorithm_supersedes_nothing() {
        let mut keys = [key("old", 0, None), key("new", DAY, None)];
        keys[1].alg = SigningAlg::EdDSA;
        assert_eq!(stages(&keys, 2 * DAY), [Stage::Signing, Stage::Signing]);
    }

    #[test]
    fn contract_8_a_key_is_retired_a_day_after_the_last_token_it_signed_expired() {
        let keys =
            [key("old", 0, None), key("new", 10 * DAY, None), key("gone", 1, Some(2)), key("next", 20 * DAY, None)];
        let free = 10 * DAY + 600 + DAY;
        let rows = [
            ("old", Pace::Announced, free - 1, false),
            ("old", Pace::Announced, free, true),
            ("old", Pace::Now, 10 * DAY, true),
            ("old", Pace::Now, 10 * DAY - 1, false),
            ("new", Pace::Now, free, false),
            ("next", Pace::Announced, free, false),
            ("next", Pace::Now, free, true),
            ("gone", Pace::Now, free, false),
            ("none", Pace::Now, free, false),
        ];
        for (kid, pace, now, may) in rows {
            assert_eq!(may_retire(&keys, kid, pace, Moment::from_unix(now)).is_ok(), may, "{kid} {pace:?} at {now}");
        }
    }
}
