//! The places and rows personal values are sealed under. A value opens only where it was sealed (`security.md` ST-02),
//! so everyone who stores or reads one comes here. Rows are account ids, which survive every import and change.

use serde_json::Value;

use crate::domain::account::Account;
use crate::domain::claim::ClaimName;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::transaction::Transaction;
use crate::domain::{Client, Fault, Id, PersonNumber};
use crate::keys::Vault;

const PERSON: &str = "accounts.person";
const PHONE: &str = "accounts.phone";
const CLAIM: &str = "account_claims.value";
/// In a request that is kept, wherever that is.
const PROPOSAL: &str = "request.transaction";
const TRANSACTION: &str = "transactions.details";

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
