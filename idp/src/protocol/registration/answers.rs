//! How answers leave for a client: signed, encrypted, or both (OIDC Registration §2, RFC 9701 §6, JARM §3).

use crate::domain::arrangement::{AnswerForms, ContentAlg, KeyAlg};
use crate::domain::relying_party::Profile;
use crate::protocol::error::Error;

use super::members::Members;
use super::requests::alg;
use super::{keys, refuse};

/// The keys an answer may be encrypted to.
#[derive(Clone, Copy)]
pub(super) enum Keys<'a> {
    /// The set as admitted.
    Value(&'a str),
    /// At the `jwks_uri`; looked at when they are fetched.
    Reference,
    None,
}

impl Keys<'_> {
    fn may_encrypt_by(self, alg: KeyAlg) -> bool {
        match self {
            Keys::Value(jwks) => keys::encrypts_by(jwks, alg),
            Keys::Reference => true,
            Keys::None => false,
        }
    }
}

pub(super) fn admit(members: &mut Members, jwks: Keys<'_>, profile: Profile) -> Result<AnswerForms, Error> {
    let (id_token_alg, id_token_enc) = encryption(members, "id_token", jwks)?;
    let (userinfo_alg, userinfo_enc) = encryption(members, "userinfo", jwks)?;
    Ok(AnswerForms {
        authorization_signed_response_alg: alg(members, "authorization_signed_response_alg", profile)?,
        id_token_encrypted_response_alg: id_token_alg,
        id_token_encrypted_response_enc: id_token_enc,
        userinfo_signed_response_alg: alg(members, "userinfo_signed_response_alg", profile)?,
        userinfo_encrypted_response_alg: userinfo_alg,
        userinfo_encrypted_response_enc: userinfo_enc,
        introspection_signed_response_alg: alg(members, "introspection_signed_response_alg", profile)?,
    })
}

type Pair = (Option<KeyAlg>, Option<ContentAlg>);

/// OIDC Registration §2: the content algorithm only beside one for the key, and A128CBC-HS256 where it is left out.
fn encryption(members: &mut Members, answer: &str, jwks: Keys<'_>) -> Result<Pair, Error> {
    let (alg_member, enc_member) =
        (format!("{answer}_encrypted_response_alg"), format!("{answer}_encrypted_response_enc"));
    let alg = members.choice::<KeyAlg>(&alg_member)?;
    let enc = members.choice::<ContentAlg>(&enc_member)?;
    let Some(alg) = alg else {
        return match enc {
            None => Ok((None, None)),
            Some(_) => Err(refuse(&enc_member, format!("stands without {alg_member}"))),
        };
    };
    // OIDC Core §10.2: without a key there is nobody to encrypt to.
    if !jwks.may_encrypt_by(alg) {
        return Err(refuse(&alg_member, "needs a jwks_uri, or a key in jwks that is for encryption with it"));
    }
    Ok((Some(alg), Some(enc.unwrap_or(ContentAlg::A128CbcHs256))))
}
