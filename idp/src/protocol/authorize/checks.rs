//! Is the request in order? One row per rule, in the order they are applied; the first broken one is returned to the
//! client. Each row reads its own parameters and writes what it understood into the request.

use crate::domain::level::Acr;
use crate::domain::relying_party::GrantType;
use crate::domain::request::{AuthorizationRequest, ClaimsRequest, Expected, Prompt, ResponseMode};
use crate::domain::transaction::Proposal;
use crate::domain::{Account, Client, Id, Moment};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::id_token;
use crate::protocol::params::Params;
use crate::protocol::{authorization_details, pkce, profile, resource, scope};

use super::address::{not_for_code, sane_state};
use super::{answer, claims};

/// What `id_token_hint` came to, its signature verified before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HintState {
    Absent,
    /// Why it is no ID token of ours for this client.
    Invalid(&'static str),
    /// The subject it names.
    Subject(String),
}

impl HintState {
    /// Judges a hint: `verified` holds its claims when the signature is ours. An expired one will do (OIDC Core §3.1.2.1).
    pub fn of(verified: Option<&serde_json::Map<String, serde_json::Value>>, issuer: &str, client: &Client) -> Self {
        let Some(claims) = verified else { return HintState::Invalid("was not issued here") };
        match id_token::hinted(claims, issuer) {
            Ok(hint) if hint.client == client.id => HintState::Subject(hint.sub),
            Ok(_) => HintState::Invalid("was issued to another client"),
            Err(reason) => HintState::Invalid(reason),
        }
    }
}

/// What `login_hint` was resolved to. It is never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginHint {
    Absent,
    /// A `sub` of this client.
    Subject(String),
    /// The account of a person number.
    Account(Id<Account>),
    Unknown,
}

/// How the parameters that count reached us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// By the client itself, authenticated (RFC 9126).
    pub pushed: bool,
    /// In a request object a key of the client signed (RFC 9101).
    pub signed: bool,
}

/// What the flow found out about a request before it is checked.
#[derive(Clone, Debug)]
pub struct Hints {
    pub way: Way,
    pub id_token_hint: HintState,
    pub login_hint: LoginHint,
    pub now: Moment,
    /// Whether the request came by POST, where alone a person number may be hinted.
    pub post: bool,
}

/// What one row looks at.
pub struct Asking<'a> {
    pub params: &'a Params,
    pub client: &'a Client,
    pub hints: &'a Hints,
}

/// One rule: reads parameters, writes what they mean.
pub type Check = fn(&Asking<'_>, &mut AuthorizationRequest) -> Result<(), Error>;

/// Every rule with its clause, in order. Ways of asking that are not open come first, so that their own errors win.
pub const CHECKS: &[(&str, Check)] = &[
    ("RFC 9126 §6: require_pushed_authorization_requests", pushed_only),
    ("RFC 9101 §10.5: require_signed_request_object", signed_only),
    ("OIDC Core §7.2.1: registration", registration),
    ("RFC 6749 §3.1: no parameter twice", repeats),
    ("RFC 6749 §4.1.1: state", state),
    ("RFC 6749 §3.1.1: response_type", response_type),
    ("OAuth Multiple Response Types §2.1: response_mode", response_mode),
    ("RFC 7636 §4.3: code_challenge", code_challenge),
    ("RFC 6749 §3.3: scope", scopes),
    ("OIDC Core §3.1.2.1: nonce", nonce),
    ("OIDC Core §3.1.2.1: prompt", prompt),
    ("OIDC Core §3.1.2.1: max_age", max_age),
    ("OIDC Core §3.1.2.1: acr_values", acr_values),
    ("OIDC Core §5.5: claims", claims_parameter),
    ("contract 4: service", service),
    ("RFC 8707 §2: resource", resources),
    ("RFC 9396 §2, §5: authorization_details", details),
    ("OIDC Core §3.1.2.1: id_token_hint, login_hint", hints),
    ("OIDC Core §3.1.2.1: ui_locales", ui_locales),
    ("RFC 9449 §10: dpop_jkt", dpop_jkt),
];

/// Parameters that may come once. Others are unknown and ignored (RFC 6749 §3.1).
const SINGLE: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "response_mode",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "acr_values",
    "claims",
    "service",
    "authorization_details",
    "id_token_hint",
    "login_hint",
    "ui_locales",
    "claims_locales",
    "display",
    "dpop_jkt",
];

/// Checks a request whose address is already known to be right; errors are returned to that address.
pub fn validate(params: &Params, client: &Client, hints: &Hints) -> Result<AuthorizationRequest, Error> {
    let mut request = AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: params.one("redirect_uri")?.unwrap_or_default().to_owned(),
        response_mode: ResponseMode::Query,
        state: None,
        nonce: None,
        scope: Vec::new(),
        code_challenge: None,
        prompt: Vec::new(),
        max_age: None,
        acr_values: Vec::new(),
        claims: ClaimsRequest::default(),
        service: None,
        resources: Vec::new(),
        transaction: None,
        expected: None,
        ui_locales: Vec::new(),
        dpop_jkt: None,
        asked_at: hints.now,
        pushed: None,
    };
    let asking = Asking { params, client, hints };
    for (_, check) in CHECKS {
        check(&asking, &mut request)?;
    }
    Ok(request)
}

fn pushed_only(asking: &Asking<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    if profile::must_push(asking.client) && !asking.hints.way.pushed {
        return Err(Error::invalid_request("RFC 9126 §6", "request must be pushed for this client"));
    }
    Ok(())
}

fn signed_only(asking: &Asking<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    if profile::must_sign_requests(asking.client) && !asking.hints.way.signed {
        return Err(Error::invalid_request("RFC 9101 §10.5", "request must be a signed object for this client"));
    }
    Ok(())
}

/// Its mere presence is refused, since ignoring it would answer another request.
fn registration(asking: &Asking<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    if asking.params.has("registration") {
        let told = "registration is not supported";
        return Err(Error::new(ErrorCode::RegistrationNotSupported, "OIDC Core §3.1.2.6", told));
    }
    Ok(())
}

fn repeats(asking: &Asking<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    SINGLE.iter().try_for_each(|name| asking.params.one(name).map(|_| ()))
}

fn state(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    request.state = sane_state(asking.params)?.map(str::to_owned);
    Ok(())
}

fn response_type(asking: &Asking<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    match asking.params.one("response_type")? {
        Some("code") if asking.client.may_use(GrantType::AuthorizationCode) => Ok(()),
        Some("code") => Err(not_for_code()),
        // RFC 9700 §2.1.2: no response type that puts a token into the browser.
        Some(_) => Err(Error::new(
            ErrorCode::UnsupportedResponseType,
            "RFC 6749 §4.1.2.1",
            "response_type is not supported, only code is",
        )),
        None => Err(Error::invalid_request("RFC 6749 §3.1.1", "response_type is missing")),
    }
}

fn response_mode(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let asked = asking.params.one("response_mode")?;
    request.response_mode = answer::mode(asked, asking.client, asking.hints.way.pushed)?;
    Ok(())
}

fn code_challenge(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let refused = |told| Err(Error::invalid_request("RFC 7636 §4.4.1", told));
    match (asking.params.one("code_challenge")?, asking.params.one("code_challenge_method")?) {
        (Some(challenge), Some("S256")) if pkce::is_challenge(challenge) => {
            request.code_challenge = Some(challenge.to_owned());
            Ok(())
        }
        (Some(_), Some("S256")) => refused("code_challenge is not 43 base64url characters"),
        // RFC 7636 §4.3: an absent method means plain, which protects nothing.
        (Some(_), _) => refused("code_challenge_method must be S256"),
        (None, Some(_)) => refused("code_challenge is missing"),
        // RFC 9700 §2.1.1.
        (None, None) if profile::must_prove_key(asking.client) => refused("code_challenge is required"),
        (None, None) => Ok(()),
    }
}

fn scopes(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    request.scope = scope::granted(asking.params.one("scope")?.unwrap_or_default(), asking.client)?;
    Ok(())
}

/// The longest `nonce` kept, in characters.
const LONGEST_NONCE: usize = 512;

fn nonce(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let nonce = asking.params.one("nonce")?;
    if nonce.is_some_and(|nonce| nonce.chars().count() > LONGEST_NONCE) {
        return Err(Error::invalid_request("OIDC Core §3.1.2.1", "nonce is too long"));
    }
    request.nonce = nonce.map(str::to_owned);
    Ok(())
}

fn prompt(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let refused = |told: &str| Error::invalid_request("OIDC Core §3.1.2.1", told);
    for value in scope::values(asking.params.one("prompt")?.unwrap_or_default()) {
        let prompt = match value {
            "none" => Prompt::None,
            "login" => Prompt::Login,
            "consent" => Prompt::Consent,
            "select_account" => Prompt::SelectAccount,
            _ => return Err(refused("prompt has a value that is not supported")),
        };
        if !request.prompts(prompt) {
            request.prompt.push(prompt);
        }
    }
    if request.prompts(Prompt::None) && request.prompt.len() > 1 {
        return Err(refused("prompt none stands with another value"));
    }
    Ok(())
}

fn max_age(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let Some(text) = asking.params.one("max_age")? else { return Ok(()) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    let malformed = || Error::invalid_request("OIDC Core §3.1.2.1", "max_age is not a number of seconds");
    request.max_age = Some(seconds.ok_or_else(malformed)?);
    Ok(())
}

fn acr_values(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    for value in scope::values(asking.params.one("acr_values")?.unwrap_or_default()) {
        // `contract.md` 4: unknown values are ignored.
        if let Some(acr) = Acr::parse(value)
            && !request.acr_values.iter().any(|known| known == acr.urn())
        {
            request.acr_values.push(acr.urn().to_owned());
        }
    }
    Ok(())
}

fn claims_parameter(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    if let Some(text) = asking.params.one("claims")? {
        request.claims = claims::parse(text)?;
    }
    Ok(())
}

fn service(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let Some(code) = asking.params.one("service")? else { return Ok(()) };
    if asking.client.service(code).is_none() {
        return Err(Error::invalid_request("contract 4", "service is not registered for this client"));
    }
    request.service = Some(code.to_owned());
    Ok(())
}

/// Whether this client may name them, and whether somebody answers for them, is `flow`'s to find out.
fn resources(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    request.resources = resource::asked(asking.params)?;
    Ok(())
}

/// What is approved once is not refreshed: access while the holder is away is not granted beside it.
fn details(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    if let Some(transaction) = authorization_details::asked(asking.params, asking.client)? {
        request.scope.retain(|scope| scope != scope::OFFLINE_ACCESS);
        request.transaction = Some(Proposal::Read(transaction));
    }
    Ok(())
}

fn hints(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    request.expected = match &asking.hints.id_token_hint {
        HintState::Invalid(reason) => {
            return Err(Error::invalid_request("OIDC Core §3.1.2.1", format!("id_token_hint {reason}")));
        }
        HintState::Subject(sub) => Some(Expected::Subject(sub.clone())),
        HintState::Absent => match &asking.hints.login_hint {
            LoginHint::Subject(sub) => Some(Expected::Subject(sub.clone())),
            // A person number in an address would stay in histories and logs: only a body may carry one.
            LoginHint::Account(account) if asking.hints.post => Some(Expected::Hint(account.clone())),
            LoginHint::Account(_) | LoginHint::Absent | LoginHint::Unknown => None,
        },
    };
    Ok(())
}

/// The languages we have, in the order wished for; all others are ignored (OIDC Core §3.1.2.1: never an error).
fn ui_locales(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    for tag in scope::values(asking.params.one("ui_locales")?.unwrap_or_default()) {
        let primary = tag.split('-').next().unwrap_or_default();
        let known = ["vi", "en"].into_iter().find(|language| primary.eq_ignore_ascii_case(language));
        if let Some(language) = known
            && !request.ui_locales.iter().any(|listed| listed == language)
        {
            request.ui_locales.push(language.to_owned());
        }
    }
    Ok(())
}

fn dpop_jkt(asking: &Asking<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let jkt = asking.params.one("dpop_jkt")?;
    // RFC 9449 §10: a thumbprint is SHA-256 in base64url, as an S256 challenge is.
    if jkt.is_some_and(|jkt| !pkce::is_challenge(jkt)) {
        return Err(Error::invalid_request("RFC 9449 §10", "dpop_jkt is not a SHA-256 thumbprint"));
    }
    request.dpop_jkt = jkt.map(str::to_owned);
    Ok(())
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
