//! The ring: all signing keys this server knows, prepared once, swapped whole when the store holds new ones.
//!
//! A key is published from the moment it is known, signs from `use_from` until a newer one of its algorithm does,
//! and after `retired_at` only checks what it signed (`contract.md` 8).

use std::sync::{Arc, PoisonError, RwLock};

use josekit::jwk::Jwk;
use josekit::jws::{JwsSigner, JwsVerifier};
use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::compact::Compact;
use super::{ROOM, Vault, jwk, sign};
use crate::domain::key::StoredKey;
use crate::domain::relying_party::SigningAlg;
use crate::domain::{Fault, Moment};

/// Where private halves are sealed.
const PLACE: &str = "signing_key.private";

/// ID tokens may carry released claims, so that a hint can be longer than what clients sign for us.
const LONGEST_HINT: usize = 16 * 1024;

/// What most tokens of ours are; their headers are prepared.
const PREPARED: [&str; 2] = [JWT, ACCESS_TOKEN];

/// ID tokens, and whatever has no `typ` of its own.
pub const JWT: &str = "JWT";

/// RFC 9068 §2.1.
pub const ACCESS_TOKEN: &str = "at+jwt";

/// RFC 9701 §5.
pub const INTROSPECTION: &str = "token-introspection+jwt";

/// Cheap to clone; every clone sees a refresh.
#[derive(Clone)]
pub struct Ring(Arc<RwLock<Arc<Keys>>>);

struct Keys {
    prepared: Vec<Arc<Prepared>>,
    /// The JWK set as it stands until each moment; the last has no end.
    sets: Vec<(Option<Moment>, Arc<str>)>,
}

struct Prepared {
    stored: StoredKey,
    /// `None` once retired: nobody signs with it again.
    signer: Option<Arc<dyn JwsSigner>>,
    verifier: Arc<dyn JwsVerifier>,
    /// One for each of `PREPARED`.
    headers: [(&'static str, String); 2],
}

impl Ring {
    /// Makes a key for the store. It signs once `use_from` has come.
    pub fn mint(vault: &Vault, alg: SigningAlg, now: Moment, use_from: Moment) -> Result<StoredKey, Fault> {
        let broken = |what: &str| Fault::broken(ROOM, format!("{} key: {what}", alg.name()));
        let (mut private, public) = sign::generate(alg).map_err(|error| broken(&error.to_string()))?;
        let kid = jwk::thumbprint(&public).ok_or_else(|| broken("no thumbprint"))?;
        let sealed = vault.seal(PLACE, &kid, &private);
        private.zeroize();
        Ok(StoredKey {
            public: jwk::publish(&public, alg, &kid).ok_or_else(|| broken("no public half"))?,
            private: sealed?,
            kid,
            alg,
            published_at: now,
            use_from,
            retired_at: None,
        })
    }

    pub fn load(vault: &Vault, stored: &[StoredKey]) -> Result<Ring, Fault> {
        Ok(Ring(Arc::new(RwLock::new(Arc::new(Keys::prepare(vault, stored, &[])?)))))
    }

    /// Takes over what the store holds now; keys already prepared stay so. Whether anything changed.
    pub fn refresh(&self, vault: &Vault, stored: &[StoredKey]) -> Result<bool, Fault> {
        let known = self.keys();
        if known.prepared.iter().map(|key| &key.stored).eq(stored) {
            return Ok(false);
        }
        let fresh = Arc::new(Keys::prepare(vault, stored, &known.prepared)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    /// Algorithms that have no key to sign with now.
    pub fn missing(&self, now: Moment) -> Vec<SigningAlg> {
        let keys = self.keys();
        SigningAlg::ALL.into_iter().filter(|alg| keys.signing(*alg, now).is_none()).collect()
    }

    /// A JWT by the newest key of the algorithm that is in use.
    pub fn sign(&self, alg: SigningAlg, typ: &str, claims: &Map<String, Value>, now: Moment) -> Result<String, Fault> {
        let claims = serde_json::to_vec(claims).map_err(|error| Fault::broken(ROOM, error))?;
        self.sign_written(alg, typ, &claims, now)
    }

    /// The same of claims that are JSON already.
    pub fn sign_written(&self, alg: SigningAlg, typ: &str, claims: &[u8], now: Moment) -> Result<String, Fault> {
        let keys = self.keys();
        let signing = keys.signing(alg, now).and_then(|key| Some((key, key.signer.as_deref()?)));
        let (key, signer) = signing.ok_or_else(|| Fault::broken(ROOM, format!("no {} key in use", alg.name())))?;
        match key.headers.iter().find(|(prepared, _)| *prepared == typ) {
            Some((_, header)) => sign::compact(header, claims, signer),
            None => sign::compact(&sign::header(alg, &key.stored.kid, typ), claims, signer),
        }
    }

    /// What `/jwks` answers.
    pub fn jwks(&self, now: Moment) -> Arc<str> {
        let keys = self.keys();
        let standing = keys.sets.iter().find(|(until, _)| until.is_none_or(|until| now < until));
        standing.map_or_else(|| Arc::from(r#"{"keys":[]}"#), |(_, set)| Arc::clone(set))
    }

    /// The claims of an ID token we signed, however old and by whatever key we still know: an `id_token_hint`
    /// says who was meant, not that anything still holds.
    pub fn verify_own(&self, jwt: &str) -> Option<Map<String, Value>> {
        self.verify(jwt, JWT)
    }

    /// The claims of an access token we signed (RFC 9068). Whether it still holds is the record's to say.
    pub fn verify_access(&self, jwt: &str) -> Option<Map<String, Value>> {
        self.verify(jwt, ACCESS_TOKEN)
    }

    fn verify(&self, jwt: &str, typ: &str) -> Option<Map<String, Value>> {
        let compact = Compact::parse(jwt, LONGEST_HINT).ok()?;
        let keys = self.keys();
        let kid = compact.member("kid")?;
        let key = keys.prepared.iter().find(|key| key.stored.kid == kid)?;
        // RFC 8725 §3.11: a token of ours of another kind is not this one.
        if compact.member("alg") != Some(key.stored.alg.name()) || compact.member("typ") != Some(typ) {
            return None;
        }
        key.verifier.verify(compact.parts.signed.as_bytes(), &compact.signature).ok()?;
        compact.claims().ok()
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keys {
    fn prepare(vault: &Vault, stored: &[StoredKey], known: &[Arc<Prepared>]) -> Result<Self, Fault> {
        let prepared = stored
            .iter()
            .map(|key| match known.iter().find(|known| known.stored == *key) {
                Some(known) => Ok(Arc::clone(known)),
                None => Prepared::new(vault, key).map(Arc::new),
            })
            .collect::<Result<Vec<_>, Fault>>()?;
        let mut ends: Vec<Option<Moment>> = prepared.iter().filter_map(|key| key.stored.retired_at).map(Some).collect();
        ends.sort_unstable();
        ends.dedup();
        ends.push(None);
        let sets = ends.into_iter().map(|end| (end, set_until(&prepared, end))).collect();
        Ok(Self { prepared, sets })
    }

    fn signing(&self, alg: SigningAlg, now: Moment) -> Option<&Prepared> {
        let usable = |key: &&Arc<Prepared>| {
            key.stored.alg == alg
                && key.stored.use_from <= now
                && key.stored.retired_at.is_none_or(|retired| now < retired)
        };
        let age = |a: &&Arc<Prepared>, b: &&Arc<Prepared>| {
            let (a, b) = (&a.stored, &b.stored);
            a.use_from.cmp(&b.use_from).then_with(|| a.kid.cmp(&b.kid))
        };
        self.prepared.iter().filter(usable).max_by(age).map(Arc::as_ref)
    }
}

/// The public keys that are not retired just before `end`.
fn set_until(prepared: &[Arc<Prepared>], end: Option<Moment>) -> Arc<str> {
    let published = prepared.iter().filter(|key| match (key.stored.retired_at, end) {
        (None, _) => true,
        (Some(retired), Some(end)) => retired >= end,
        (Some(_), None) => false,
    });
    let keys: Vec<&str> = published.map(|key| key.stored.public.as_str()).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into()
}

impl Prepared {
    fn new(vault: &Vault, stored: &StoredKey) -> Result<Self, Fault> {
        let broken = |what: String| Fault::broken(ROOM, format!("signing key {}: {what}", stored.kid));
        let public = Jwk::from_bytes(&stored.public).map_err(|error| broken(error.to_string()))?;
        if jwk::thumbprint(&public).as_deref() != Some(&stored.kid) {
            return Err(broken("its kid is not its thumbprint".to_owned()));
        }
        let signer = match stored.retired_at {
            Some(_) => None,
            None => {
                let mut private = vault.open(PLACE, &stored.kid, &stored.private)?;
                let signer = sign::signer(stored.alg, &private);
                private.zeroize();
                Some(signer.map_err(|error| broken(error.to_string()))?)
            }
        };
        Ok(Self {
            signer,
            verifier: sign::verifier(stored.alg, &public).map_err(|error| broken(error.to_string()))?,
            headers: PREPARED.map(|typ| (typ, sign::header(stored.alg, &stored.kid, typ))),
            stored: stored.clone(),
        })
    }
}
