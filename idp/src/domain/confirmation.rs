//! Confirmation: a child's or ward's use of the account waits for the guardian's word (ND69 Art 14(2)). One word for one
//! interaction, good for ten minutes and for one use.

use super::account::Account;
use super::id::Id;
use super::interaction::Interaction;
use super::moment::{Moment, Span};
use super::relying_party::Client;
use super::session::Acquaintance;

/// How long the guardian has, and how long the word stays good.
pub const WAITS: Span = Span::minutes(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Allowed,
    Refused,
}

impl Word {
    pub const fn name(self) -> &'static str {
        match self {
            Word::Allowed => "allowed",
            Word::Refused => "refused",
        }
    }

    pub fn parse(name: &str) -> Option<Word> {
        [Word::Allowed, Word::Refused].into_iter().find(|word| word.name() == name)
    }
}

#[derive(Clone, Debug)]
pub struct Confirmation {
    pub id: Id<Confirmation>,
    pub interaction: Id<Interaction>,
    pub ward: Id<Account>,
    /// Whose word is waited for, as recorded when it was asked.
    pub guardian: Id<Account>,
    pub client: Id<Client>,
    /// What the ward proved when it asked.
    pub acquaintance: Acquaintance,
    /// Where it was asked from, as much of the address as a guardian can tell their own home by.
    pub network: String,
    pub asked_at: Moment,
    pub expires_at: Moment,
    pub word: Option<Word>,
    pub spent_at: Option<Moment>,
}

/// How a confirmation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Waiting,
    Allowed,
    Refused,
    Expired,
    Spent,
}

impl Confirmation {
    pub fn stage(&self, now: Moment) -> Stage {
        match self.word {
            _ if self.spent_at.is_some() => Stage::Spent,
            Some(Word::Refused) => Stage::Refused,
            _ if now >= self.expires_at => Stage::Expired,
            Some(Word::Allowed) => Stage::Allowed,
            None => Stage::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nd69_art_14_a_word_is_good_once_and_for_ten_minutes() {
        let at = Moment::from_unix;
        let asked = |word, spent: Option<i64>| Confirmation {
            id: Id::new("c"),
            interaction: Id::new("i"),
            ward: Id::new("w"),
            guardian: Id::new("g"),
            client: Id::new("rp"),
            acquaintance: Acquaintance::default(),
            network: String::new(),
            asked_at: at(0),
            expires_at: at(0) + WAITS,
            word,
            spent_at: spent.map(at),
        };
        for (word, spent, now, stage) in [
            (None, None, 599, Stage::Waiting),
            (None, None, 600, Stage::Expired),
            (Some(Word::Allowed), None, 599, Stage::Allowed),
            (Some(Word::Allowed), None, 600, Stage::Expired),
            (Some(Word::Allowed), Some(5), 6, Stage::Spent),
            (Some(Word::Allowed), Some(5), 900, Stage::Spent),
            (Some(Word::Refused), None, 1, Stage::Refused),
            (Some(Word::Refused), None, 900, Stage::Refused),
        ] {
            assert_eq!(asked(word, spent).stage(at(now)), stage, "{word:?} {spent:?} {now}");
        }
    }
}
