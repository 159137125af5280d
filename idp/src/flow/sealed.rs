//! The places and rows personal values are sealed under. A value opens only where it was sealed (`security.md` ST-02),
//! so everyone who stores or reads one comes here. Rows are account ids, which survive every import and change.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::account::Account;
use crate::domain::app::{Device, Screen, Ticket};
use crate::domain::claim::ClaimName;
use crate::domain::enrolment::{Enrolment, Particulars};
use crate::domain::passkey::Passkey;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::transaction::Transaction;
use crate::domain::{Client, Fault, Id, PersonNumber};
use crate::keys::Vault;
use crate::store::ceremony::Ceremony;
use crate::store::totp::Totp;

const PERSON: &str = "accounts.person";
const PHONE: &str = "accounts.phone";
const ENROLMENT_PERSON: &str = "enrolments.person";
const ENROLMENT_PHONE: &str = "enrolments.phone";
const ENROLMENT_PARTICULARS: &str = "enrolments.particulars";
const EVIDENCE: &str = "enrolment_evidence.reference";
const CLAIM: &str = "account_claims.value";
/// In a request that is kept, wherever that is.
const PROPOSAL: &str = "request.transaction";
const TRANSACTION: &str = "transactions.details";
const PASSKEY: &str = "passkeys.kept";
const PASSKEY_LABEL: &str = "passkeys.label";
const CEREMONY: &str = "passkey_ceremonies.state";
const TOTP: &str = "totps.secret";
const APP_NAME: &str = "app_devices.name";
const APP_SCREEN: &str = "app_tickets.screen";

/// By which an account is found when its holder gives the number.
pub fn person_index(number: &PersonNumber, vault: &Vault) -> BlindIndex {
    vault.blind_index("person", number.reveal())
}

pub fn phone_index(phone: &str, vault: &Vault) -> BlindIndex {
    vault.blind_index("phone", phone)
}

pub fn person(account: &Id<Account>, number: &PersonNumber, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PERSON, account.as_str(), number.reveal().as_bytes())
}

pub fn open_person(account: &Id<Account>, sealed: &Sealed, vault: &Vault) -> Result<PersonNumber, Fault> {
    let text = text(vault.open(PERSON, account.as_str(), sealed)?)?;
    PersonNumber::parse_any(&text).ok_or_else(|| Fault::broken("flow", "a sealed person number does not parse"))
}

/// A phone number in E.164 form.
pub fn phone(account: &Id<Account>, phone: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PHONE, account.as_str(), phone.as_bytes())
}

pub fn open_phone(account: &Id<Account>, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    text(vault.open(PHONE, account.as_str(), sealed)?)
}

pub fn enrolment_person(id: &Id<Enrolment>, number: &PersonNumber, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(ENROLMENT_PERSON, id.as_str(), number.reveal().as_bytes())
}

pub fn open_enrolment_person(enrolment: &Enrolment, vault: &Vault) -> Result<PersonNumber, Fault> {
    let text = text(vault.open(ENROLMENT_PERSON, enrolment.id.as_str(), &enrolment.person)?)?;
    PersonNumber::parse(&text).ok_or_else(|| Fault::broken("flow", "a sealed person number does not parse"))
}

pub fn enrolment_phone(id: &Id<Enrolment>, phone: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(ENROLMENT_PHONE, id.as_str(), phone.as_bytes())
}

pub fn open_enrolment_phone(enrolment: &Enrolment, vault: &Vault) -> Result<Option<String>, Fault> {
    let open = |sealed| text(vault.open(ENROLMENT_PHONE, enrolment.id.as_str(), sealed)?);
    enrolment.phone.as_ref().map(open).transpose()
}

pub fn particulars(id: &Id<Enrolment>, stated: &Particulars, vault: &Vault) -> Result<Sealed, Fault> {
    let plain = serde_json::to_vec(stated).map_err(|error| Fault::broken("flow", error))?;
    vault.seal(ENROLMENT_PARTICULARS, id.as_str(), &plain)
}

pub fn open_particulars(enrolment: &Enrolment, vault: &Vault) -> Result<Particulars, Fault> {
    let plain = vault.open(ENROLMENT_PARTICULARS, enrolment.id.as_str(), &enrolment.particulars)?;
    serde_json::from_slice(&plain).map_err(|_| Fault::broken("flow", "sealed particulars do not parse"))
}

/// Where a piece of evidence lies, for whoever may look at it.
pub fn evidence(id: &Id<Enrolment>, reference: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(EVIDENCE, id.as_str(), reference.as_bytes())
}

pub fn open_evidence(id: &Id<Enrolment>, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    text(vault.open(EVIDENCE, id.as_str(), sealed)?)
}

pub fn claim(account: &Id<Account>, claim: ClaimName, value: &Value, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(CLAIM, &claim_row(account, claim), value.to_string().as_bytes())
}

pub fn open_claim(account: &Id<Account>, claim: ClaimName, sealed: &Sealed, vault: &Vault) -> Result<Value, Fault> {
    let plain = vault.open(CLAIM, &claim_row(account, claim), sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Fault::broken("flow", format!("a sealed {claim} is not JSON")))
}

/// By which a client's own reference is found again.
pub fn transaction_index(client: &Id<Client>, identifier: &str, vault: &Vault) -> BlindIndex {
    vault.blind_index("transaction", &format!("{client}/{identifier}"))
}

/// A transaction nobody approved yet, bound to the client that asks.
pub fn proposal(client: &Id<Client>, transaction: &Transaction, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PROPOSAL, client.as_str(), &written(transaction)?)
}

pub fn open_proposal(client: &Id<Client>, sealed: &Sealed, vault: &Vault) -> Result<Transaction, Fault> {
    read(&vault.open(PROPOSAL, client.as_str(), sealed)?)
}

pub fn transaction(id: &Id<Transaction>, transaction: &Transaction, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(TRANSACTION, id.as_str(), &written(transaction)?)
}

pub fn open_transaction(id: &Id<Transaction>, sealed: &Sealed, vault: &Vault) -> Result<Transaction, Fault> {
    read(&vault.open(TRANSACTION, id.as_str(), sealed)?)
}

/// By which the account of a credential is found.
pub fn credential_index(credential: &str, vault: &Vault) -> BlindIndex {
    vault.blind_index("passkey", credential)
}

pub fn passkey(id: &Id<Passkey>, kept: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PASSKEY, id.as_str(), kept.as_bytes())
}

pub fn open_passkey(id: &Id<Passkey>, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    text(vault.open(PASSKEY, id.as_str(), sealed)?)
}

pub fn passkey_label(id: &Id<Passkey>, label: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PASSKEY_LABEL, id.as_str(), label.as_bytes())
}

pub fn open_passkey_label(id: &Id<Passkey>, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    text(vault.open(PASSKEY_LABEL, id.as_str(), sealed)?)
}

pub fn ceremony(id: &Id<Ceremony>, state: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(CEREMONY, id.as_str(), state.as_bytes())
}

pub fn open_ceremony(id: &Id<Ceremony>, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    text(vault.open(CEREMONY, id.as_str(), sealed)?)
}

pub fn totp_secret(id: &Id<Totp>, secret: &[u8], vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(TOTP, id.as_str(), secret)
}

pub fn open_totp_secret(id: &Id<Totp>, sealed: &Sealed, vault: &Vault) -> Result<Zeroizing<Vec<u8>>, Fault> {
    vault.open(TOTP, id.as_str(), sealed).map(Zeroizing::new)
}

/// What a holder calls the phone the app runs on.
pub fn app_name(id: &Id<Device>, name: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(APP_NAME, id.as_str(), name.as_bytes())
}

pub fn open_app_name(device: &Device, vault: &Vault) -> Result<String, Fault> {
    text(vault.open(APP_NAME, device.id.as_str(), &device.name)?)
}

pub fn screen(id: &Id<Ticket>, screen: &Screen, vault: &Vault) -> Result<Sealed, Fault> {
    let plain = serde_json::to_vec(screen).map_err(|error| Fault::broken("flow", error))?;
    vault.seal(APP_SCREEN, id.as_str(), &plain)
}

pub fn open_screen(ticket: &Ticket, vault: &Vault) -> Result<Screen, Fault> {
    let plain = vault.open(APP_SCREEN, ticket.id.as_str(), &ticket.screen)?;
    serde_json::from_slice(&plain).map_err(|_| Fault::broken("flow", "a sealed screen does not parse"))
}

fn written(transaction: &Transaction) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(transaction).map_err(|error| Fault::broken("flow", error))
}

fn read(plain: &[u8]) -> Result<Transaction, Fault> {
    serde_json::from_slice(plain).map_err(|_| Fault::broken("flow", "a sealed transaction does not parse"))
}

fn claim_row(account: &Id<Account>, claim: ClaimName) -> String {
    format!("{account}/{claim}")
}

fn text(plain: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(plain).map_err(|_| Fault::broken("flow", "a sealed text is not UTF-8"))
}
