//! Password and phone on «Danh tính của tôi».

use super::calendar;
use super::sign_in::masked_phone;
use crate::domain::Moment;
use crate::domain::change::{Asked, What};

/// What was just done or went wrong: the key of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    name: &'static str,
    pub is_problem: bool,
}

impl Note {
    pub const ALL: [Note; 22] = NOTES;
}

const NOTES: [Note; 22] = {
    const fn done(name: &'static str) -> Note {
        Note { name, is_problem: false }
    }
    const fn problem(name: &'static str) -> Note {
        Note { name, is_problem: true }
    }
    [
        done("password_changed"),
        done("phone_changed"),
        done("recovery_stopped"),
        done("cancelled"),
        done("sent"),
        problem("wrong_password"),
        problem("same_password"),
        problem("too_short"),
        problem("too_long"),
        problem("personal"),
        problem("service"),
        problem("common"),
        problem("differ"),
        problem("bad_phone"),
        problem("same_phone"),
        problem("sign_in_again"),
        problem("wrong_code"),
        problem("expired_code"),
        problem("wait"),
        problem("send_limit"),
        problem("nothing_to_stop"),
        problem("form"),
    ]
};

impl Note {
    pub fn find(name: &str) -> Option<Note> {
        NOTES.into_iter().find(|note| note.name == name)
    }

    /// Words about a new password are those of every page that sets one.
    pub fn key(self) -> String {
        match self.name {
            "too_short" | "too_long" | "personal" | "service" | "common" | "differ" => {
                format!("password.weak.{}", self.name)
            }
            "same_password" => "password.weak.same".to_owned(),
            name => format!("credentials.note.{name}"),
        }
    }
}

/// A change under way.
#[derive(Clone, Debug)]
pub struct UnderWay {
    pub what: What,
    pub asked: Asked,
    pub phone: String,
}

#[derive(Clone, Debug)]
pub struct Credentials {
    pub phone: Option<String>,
    pub has_password: bool,
    pub change: Option<UnderWay>,
    pub phone_counts_from: Option<Moment>,
    pub recovered_at: Option<Moment>,
    pub recovery: Option<Moment>,
    pub note: Option<Note>,
}

impl Credentials {
    /// The masked phone a code went to, where this is what is being changed.
    pub fn code_for(&self, what: &str) -> Option<String> {
        let change = self.change.as_ref().filter(|change| change.what.name() == what)?;
        Some(masked_phone(&change.phone))
    }

    pub fn masked(&self) -> Option<String> {
        self.phone.as_deref().map(masked_phone)
    }

    pub fn minute(&self, moment: &Moment) -> String {
        calendar::minute(*moment)
    }

    pub fn day(&self, moment: &Moment) -> String {
        calendar::day(*moment)
    }

    /// Whether the form that was just sent is to be mended.
    pub fn is_wrong(&self) -> bool {
        self.note.is_some_and(|note| note.is_problem)
    }

    pub fn is_new_phone(&self) -> bool {
        self.change.as_ref().is_some_and(|change| change.asked == Asked::NewPhone)
    }
}
