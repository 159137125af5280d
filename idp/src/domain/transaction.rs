//! Transaction: one act a client asks the holder to approve in words, and what remains of it once approved (RFC 9396).
//! Its words may name people, so they stand nowhere in clear: not in a row, not in a log.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::account::Account;
use super::grant::Grant;
use super::id::Id;
use super::moment::Moment;
use super::relying_party::Client;
use super::secret::{BlindIndex, Sealed};

/// A type of `authorization_details` we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailsType {
    VnTransaction,
}

impl DetailsType {
    pub const ALL: [DetailsType; 1] = [DetailsType::VnTransaction];

    pub const fn name(self) -> &'static str {
        match self {
            DetailsType::VnTransaction => "vn_transaction",
        }
    }
}

/// What the holder reads, in Vietnamese and perhaps in English.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub vi: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

impl Words {
    /// The text as a page in this language shows it, and the language it is in.
    pub fn in_language(&self, language: &'static str) -> (&str, &'static str) {
        match &self.en {
            Some(english) if language == "en" => (english, "en"),
            _ => (&self.vi, "vi"),
        }
    }
}

/// Whole đồng; no other money is paid with here.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dong(pub u64);

/// An act to approve, checked and typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The client's own reference: it can be approved once.
    pub identifier: String,
    pub text: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Dong>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction(hidden)")
    }
}

/// A transaction on its way through a request. A request that is kept holds it sealed: writing one down unsealed fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    Read(Transaction),
    Kept(Sealed),
}

impl Serialize for Proposal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Proposal::Kept(sealed) => serializer.serialize_str(sealed.as_str()),
            Proposal::Read(_) => Err(serde::ser::Error::custom("a transaction is kept sealed only")),
        }
    }
}

impl<'de> Deserialize<'de> for Proposal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Proposal::Kept(Sealed::from_text(text)))
    }
}

/// What the holder approved, as it is kept for good.
#[derive(Clone, Debug)]
pub struct Approved {
    pub id: Id<Transaction>,
    pub client: Id<Client>,
    /// Finds the client's identifier again without telling it.
    pub reference: BlindIndex,
    pub account: Id<Account>,
    pub grant: Id<Grant>,
    pub details: Sealed,
    /// The language of the page it was approved on.
    pub language: String,
    pub approved_at: Moment,
    pub spent: Option<Spent>,
}

/// Who spent it, and in which attempt of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    pub at: Moment,
    pub by: Id<Client>,
    /// A server that may lose our answer names its attempt, and may repeat it.
    pub attempt: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st_01_an_unsealed_transaction_cannot_be_written_down() {
        let transaction = Transaction {
            identifier: "fee-1".to_owned(),
            text: Words { vi: "Nộp lệ phí".to_owned(), en: None },
            amount: Some(Dong(1)),
            payee: None,
        };
        let read = Proposal::Read(transaction);
        assert!(serde_json::to_string(&read).is_err());
        assert!(!format!("{read:?}").contains("phí"));
        let kept = Proposal::Kept(Sealed::from_text("v1.x".to_owned()));
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!((text.as_str(), serde_json::from_str::<Proposal>(&text).unwrap()), ("\"v1.x\"", kept));
    }

    #[test]
    fn the_text_is_in_the_language_of_the_page_where_there_is_one() {
        let only = Words { vi: "một".to_owned(), en: None };
        let both = Words { en: Some("one".to_owned()), ..only.clone() };
        for (words, language, expected) in [
            (&only, "vi", ("một", "vi")),
            (&only, "en", ("một", "vi")),
            (&both, "vi", ("một", "vi")),
            (&both, "en", ("one", "en")),
        ] {
            assert_eq!(words.in_language(language), expected);
        }
    }
}
