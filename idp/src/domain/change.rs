//! Change: a signed-in holder replaces the password or the phone (`security.md` LG-38, N-24). Two things are proved
//! within it: that the owner is there, by what the account already has, and, for a phone, that the new one is theirs.

use super::account::Account;
use super::id::Id;
use super::moment::{Moment, Span};
use super::session::Session;

/// How fresh the proofs of a session are to stand for the owner without another code (N-24).
pub const FRESH: Span = Span::minutes(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Password,
    Phone,
}

impl What {
    pub const ALL: [What; 2] = [What::Password, What::Phone];

    pub const fn name(self) -> &'static str {
        match self {
            What::Password => "password",
            What::Phone => "phone",
        }
    }

    pub fn parse(name: &str) -> Option<What> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

/// Which proof is asked for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A code to the phone on file.
    Owner,
    /// A code to the new phone.
    NewPhone,
    Nothing,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub id: Id<Change>,
    pub account: Id<Account>,
    pub session: Id<Session>,
    pub what: What,
    /// The hash of the new password, or the new phone, sealed.
    pub value: String,
    pub owner_proved_at: Option<Moment>,
    pub phone_proved_at: Option<Moment>,
    pub began_at: Moment,
    pub expires_at: Moment,
    pub ended_at: Option<Moment>,
}

impl Change {
    /// `None`: over.
    pub fn asked(&self, now: Moment) -> Option<Asked> {
        if self.ended_at.is_some() || now >= self.expires_at {
            return None;
        }
        Some(match (self.what, self.owner_proved_at, self.phone_proved_at) {
            (_, None, _) => Asked::Owner,
            (What::Phone, _, None) => Asked::NewPhone,
            _ => Asked::Nothing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lg_38_the_owner_first_then_the_new_phone() {
        let at = Moment::from_unix;
        let change = |what, owner: Option<i64>, phone: Option<i64>, ended: Option<i64>| Change {
            id: Id::new("c"),
            account: Id::new("a"),
            session: Id::new("s"),
            what,
            value: String::new(),
            owner_proved_at: owner.map(at),
            phone_proved_at: phone.map(at),
            began_at: at(0),
            expires_at: at(600),
            ended_at: ended.map(at),
        };
        for (what, owner, phone, ended, asked) in [
            (What::Password, None, None, None, Some(Asked::Owner)),
            (What::Password, Some(1), None, None, Some(Asked::Nothing)),
            (What::Phone, None, None, None, Some(Asked::Owner)),
            (What::Phone, None, Some(1), None, Some(Asked::Owner)),
            (What::Phone, Some(1), None, None, Some(Asked::NewPhone)),
            (What::Phone, Some(1), Some(1), None, Some(Asked::Nothing)),
            (What::Phone, Some(1), Some(1), Some(2), None),
        ] {
            assert_eq!(change(what, owner, phone, ended).asked(at(599)), asked);
            assert_eq!(change(what, owner, phone, ended).asked(at(600)), None);
        }
    }
}
