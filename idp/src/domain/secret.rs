//! Bearer values exist in two forms that cannot be mixed: `Minted` is shown once and never stored,
//! `Stored` is a digest and never sent. Neither prints itself.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// What a bearer value is for. The class goes into the digest, so that a value of one class
/// is never found as another (`security.md` D9).
pub trait Class {
    const NAME: &'static str;
}

pub enum Code {}
pub enum AccessToken {}
pub enum RefreshToken {}
pub enum ClientSecret {}
pub enum SessionCookie {}
pub enum BrowserCookie {}
pub enum DeviceCookie {}
pub enum Otp {}

impl Class for Code {
    const NAME: &'static str = "code";
}
impl Class for AccessToken {
    const NAME: &'static str = "access_token";
}
impl Class for RefreshToken {
    const NAME: &'static str = "refresh_token";
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
impl Class for Otp {
    const NAME: &'static str = "otp";
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
        Self { digest: URL_SAFE_NO_PAD.encode(hash.finalize()), of: PhantomData }
    }

    /// A digest read back from the store.
    pub fn from_store(digest: String) -> Self {
        Self { digest, of: PhantomData }
    }

    pub fn as_str(&self) -> &str {
        &self.digest
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
