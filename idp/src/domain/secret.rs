//! Bearer values exist in two forms that cannot be mixed: `Minted` is shown once and never stored,
//! `Stored` is a digest and never sent. Neither prints itself.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::moment::Moment;

/// What a bearer value is for. The class goes into the digest, so that a value of one class
/// is never found as another (`security.md` D9).
pub trait Class {
    const NAME: &'static str;
    /// Whether values begin with the millisecond they were minted in. Millions of these are stored; beginning alike, those
    /// of one moment lie together on disk, and storing one touches a page its neighbours touched already. What has served
    /// its time is found by the same beginning.
    const DATED: bool = false;
}

pub enum Code {}
pub enum PushedReference {}
pub enum AccessToken {}
pub enum RefreshToken {}
/// The `jti` of an access token that is a JWT (RFC 9068).
pub enum AccessTokenId {}
pub enum ClientSecret {}
pub enum SessionCookie {}
pub enum BrowserCookie {}
pub enum DeviceCookie {}
pub enum EnrolmentCookie {}
pub enum Otp {}
pub enum InitialAccessToken {}
pub enum RegistrationToken {}
/// What ties a recovery to the browser that began it, for as long as it takes.
pub enum RecoveryCookie {}
/// What a QR code holds.
pub enum AppTicket {}
/// What a phone that scanned one signs.
pub enum AppChallenge {}
/// What a browser sent to another provider brings back.
pub enum UpstreamState {}

impl Class for Code {
    const NAME: &'static str = "code";
    const DATED: bool = true;
}
impl Class for PushedReference {
    const NAME: &'static str = "request_uri";
    const DATED: bool = true;
}
impl Class for AccessToken {
    const NAME: &'static str = "access_token";
    const DATED: bool = true;
}
impl Class for RefreshToken {
    const NAME: &'static str = "refresh_token";
    const DATED: bool = true;
}
impl Class for AccessTokenId {
    const NAME: &'static str = "access_token_id";
    const DATED: bool = true;
}
impl Class for ClientSecret {
    const NAME: &'static str = "client_secret";
}
impl Class for SessionCookie {
    const NAME: &'static str = "session";
}
impl Class for BrowserCookie {
    const NAME: &'static str = "browser";
}
impl Class for DeviceCookie {
    const NAME: &'static str = "device";
}
impl Class for EnrolmentCookie {
    const NAME: &'static str = "enrolment";
}
impl Class for Otp {
    const NAME: &'static str = "otp";
}
impl Class for AppTicket {
    const NAME: &'static str = "app_ticket";
}
impl Class for AppChallenge {
    const NAME: &'static str = "app_challenge";
}
impl Class for InitialAccessToken {
    const NAME: &'static str = "initial_access_token";
}
impl Class for RecoveryCookie {
    const NAME: &'static str = "recovery";
}
impl Class for RegistrationToken {
    const NAME: &'static str = "registration_access_token";
}
impl Class for UpstreamState {
    const NAME: &'static str = "upstream_state";
}

/// A fresh secret, for its one recipient.
pub struct Minted<C> {
    text: String,
    of: PhantomData<fn() -> C>,
}

impl<C: Class> Minted<C> {
    /// 256 random bits as 43 base64url characters.
    pub fn from_entropy(mut entropy: [u8; 32]) -> Self {
        let text = URL_SAFE_NO_PAD.encode(entropy);
        entropy.zeroize();
        Self { text, of: PhantomData }
    }

    /// Eleven hexadecimal digits of the Unix millisecond, then 256 random bits as 43 base64url characters.
    pub fn dated(entropy: [u8; 32], milliseconds: u64) -> Self {
        let mut text = String::with_capacity(DATE + 43);
        text.push_str(&written(milliseconds));
        let random: Minted<C> = Self::from_entropy(entropy);
        text.push_str(&random.text);
        Self { text, of: PhantomData }
    }

    /// A secret whose form is not ours to choose: an OTP of six digits, a client secret an operator registered.
    pub fn from_text(text: String) -> Self {
        Self { text, of: PhantomData }
    }

    pub fn reveal(&self) -> &str {
        &self.text
    }

    pub fn stored(&self) -> Stored<C> {
        Stored::of(&self.text)
    }
}

impl<C> Drop for Minted<C> {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl<C: Class> fmt::Debug for Minted<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Minted<{}>(hidden)", C::NAME)
    }
}

/// Length of the date a value may begin with: enough for five centuries.
const DATE: usize = 11;

fn written(milliseconds: u64) -> String {
    format!("{milliseconds:0DATE$x}")
}

/// What every digest of a dated value minted before `moment` sorts before, and no later one.
pub fn minted_before(moment: Moment) -> String {
    written(u64::try_from(moment.unix()).unwrap_or(0).saturating_mul(1000))
}

fn date(presented: &str) -> &str {
    let date = presented.get(..DATE).unwrap_or_default();
    if date.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) { date } else { "" }
}

/// The digest of a bearer value: what the store keeps and looks up.
pub struct Stored<C> {
    digest: String,
    of: PhantomData<fn() -> C>,
}

impl<C: Class> Stored<C> {
    /// Digest of a presented value. SHA-256 suffices: the values carry 256 random bits (`security.md` RF-13).
    pub fn of(presented: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(C::NAME.as_bytes());
        hash.update([0]);
        hash.update(presented.as_bytes());
        let mut digest = String::with_capacity(DATE + 43);
        // The date is part of what is digested too: changed, it finds nothing.
        digest.push_str(if C::DATED { date(presented) } else { "" });
        URL_SAFE_NO_PAD.encode_string(hash.finalize(), &mut digest);
        Self { digest, of: PhantomData }
    }

    /// A digest read back from the store.
    pub fn from_store(digest: String) -> Self {
        Self { digest, of: PhantomData }
    }

    pub fn as_str(&self) -> &str {
        &self.digest
    }
}

impl Stored<AccessToken> {
    /// The record of a token that is a JWT goes by its `jti`. Its class is in the digest, so that no opaque token is ever
    /// found as one.
    pub fn of_jwt(jti: &str) -> Self {
        Self { digest: Stored::<AccessTokenId>::of(jti).digest, of: PhantomData }
    }
}

impl<C> Clone for Stored<C> {
    fn clone(&self) -> Self {
        Self { digest: self.digest.clone(), of: PhantomData }
    }
}

impl<C> PartialEq for Stored<C> {
    fn eq(&self, other: &Self) -> bool {
        self.digest.as_bytes().ct_eq(other.digest.as_bytes()).into()
    }
}

impl<C> Eq for Stored<C> {}

impl<C: Class> fmt::Debug for Stored<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored<{}>(hidden)", C::NAME)
    }
}

/// Ciphertext of one value, bound to its place by associated data (`security.md` ST-02). Opaque text to all but
/// `keys::seal`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(hidden)")
    }
}

/// Keyed digest by which a sealed identifier is found again without being readable.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BlindIndex(String);

impl BlindIndex {
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlindIndex(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_moment_lie_together_and_every_character_counts() {
        let minted: Minted<Code> = Minted::dated([7; 32], 1_795_282_563_001);
        assert_eq!(minted.reveal().len(), 54);
        assert!(minted.stored().as_str().starts_with("1a1ff2defb9"));
        let later: Minted<Code> = Minted::dated([7; 32], 1_795_282_563_002);
        assert!(minted.stored().as_str() < later.stored().as_str() && minted.stored() != later.stored());
        let between = |second| minted_before(Moment::from_unix(second));
        assert!(
            *minted.stored().as_str() >= *between(1_795_282_563) && *later.stored().as_str() < *between(1_795_282_564)
        );
        for at in 0..minted.reveal().len() {
            let mut changed = minted.reveal().as_bytes().to_vec();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert!(Stored::<Code>::of(&String::from_utf8(changed).unwrap()) != minted.stored());
        }
        // Classes never meet, and short or odd values are digested like any other.
        assert_ne!(Stored::<Code>::of("x").as_str(), Stored::<AccessToken>::of("x").as_str());
        assert!(Stored::of_jwt("x") != Stored::<AccessToken>::of("x"));
        assert_eq!(Stored::<SessionCookie>::of(minted.reveal()).as_str().len(), 43);
        assert_eq!(Stored::<Code>::of("é".repeat(9).as_str()).as_str().len(), 43);
    }

    #[test]
    fn nothing_prints_itself() {
        let minted: Minted<Code> = Minted::from_text("s3cret".to_owned());
        assert!(!format!("{minted:?} {:?}", minted.stored()).contains("s3cret"));
    }
}
