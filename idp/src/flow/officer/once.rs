//! Each act once: the key an act comes with is taken first, in the transaction of the act, and its result is kept beside
//! it. The same key again is answered with that result; the same key for something else is refused.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Ended, Officer, Refusal};
use crate::domain::{Fault, Moment};
use crate::flow::{facts, operator};
use crate::idp::Idp;
use crate::store::officer_act::{self, Asked};
use crate::store::{self, Db};

/// What makes a repetition recognisable: made by our own forms, or by the caller of the REST interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn parse(text: &str) -> Option<Key> {
        let fits = (8..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
        fits.then(|| Key(text.to_owned()))
    }

    /// A key nobody used yet, for a form.
    pub fn fresh(idp: &Idp) -> Result<Key, Fault> {
        idp.random.text().map(Key)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose act it is, and its key.
#[derive(Clone, Debug)]
pub struct Filed {
    pub officer: Officer,
    pub key: Key,
}

/// What an act came to, and whether it came to it just now.
pub(super) struct Done<T> {
    pub result: Result<T, Refusal>,
    pub first: bool,
}

impl Filed {
    /// Does an act in one transaction, once. `content` is all that was asked, so that another act does not pass for a
    /// repetition; only its keyed digest is kept.
    pub(super) async fn once<T, F>(
        &self,
        act: &'static str,
        content: &impl Serialize,
        idp: &Arc<Idp>,
        body: F,
    ) -> Result<Done<T>, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut Db, Moment) -> Ended<T> + Send + 'static,
    {
        let content = serde_json::to_string(content).map_err(|error| Fault::broken("flow", error))?;
        let asked = Asked {
            officer: self.officer.account.clone(),
            key: self.key.0.clone(),
            act: act.to_owned(),
            content: idp.vault.blind_index("officer_act", &content).as_str().to_owned(),
        };
        let this = Arc::clone(idp);
        idp.store
            .transact(move |db| {
                let now = this.clock.now();
                if !stands(db, &asked, now, &this)? {
                    return Ok(Done { result: Err(Refusal::OfficerGone), first: true });
                }
                if !officer_act::begin(db, &asked, now)? {
                    return Ok(Done { result: again(db, &asked)?, first: false });
                }
                let result = body(db, now)?;
                let kept = serde_json::to_string(&result).map_err(|error| Fault::broken("flow", error))?;
                officer_act::finish(db, &asked, &kept)?;
                Ok(Done { result, first: true })
            })
            .await
    }
}

/// The officer may have been locked since the request came in.
fn stands(db: &mut Db, asked: &Asked, now: Moment, idp: &Idp) -> Result<bool, Fault> {
    let account = store::account::find(db, &asked.officer)?;
    Ok(operator::is_officer(&asked.officer, idp) && facts::standing(account.as_ref(), None, now).is_ok())
}

fn again<T: DeserializeOwned>(db: &mut Db, asked: &Asked) -> Ended<T> {
    let Some((before, result)) = officer_act::find(db, &asked.officer, &asked.key)? else {
        return Err(Fault::unavailable("flow", "the first act of this key was taken back: try again"));
    };
    if before != *asked {
        return Ok(Err(Refusal::KeyReused));
    }
    let result = result.ok_or_else(|| Fault::broken("flow", "an act without a result"))?;
    serde_json::from_str(&result).map_err(|error| Fault::broken("flow", error))
}
