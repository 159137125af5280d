//! Legacy: accounts the national portal issued itself before sign-in by VNeID (`product.md` S4), and their linking to who
//! signs in now (`domain.md` 2.5). They are in memory only and invented like everything here.
//!
//! A link needs both sides in one request: signed in by VNeID in this browser, and the old account's password.

use std::sync::{Mutex, PoisonError};

use idp::domain::linking::{LinkState, LinkedTo, LocalAccount, state};
use idp::domain::{Moment, Span};
use serde_json::{Map, Value};

/// Wrong passwords in a row after which an old account waits.
const TRIES: u32 = 5;
const WAITS: Span = Span::minutes(15);

/// The password of every old account here.
pub const OLD_PASSWORD: &str = "CongCu#2020";

#[derive(Clone)]
struct OldAccount {
    username: &'static str,
    number: &'static str,
    name: String,
    birthdate: String,
    dossiers: &'static [&'static str],
    /// The `sub` it was linked to.
    linked: Option<String>,
    wrong: u32,
    waits_until: Option<Moment>,
}

/// Who signed in, as VNeID told this portal.
pub struct Citizen {
    pub sub: String,
    pub number: String,
    pub name: String,
    /// Absent when the citizen did not share it.
    pub birthdate: Option<String>,
}

impl Citizen {
    /// Nothing but what the provider vouched for; without the number there is nothing to compare.
    pub fn of(claims: &Map<String, Value>) -> Option<Citizen> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Citizen {
            sub: text("sub")?,
            number: text("vn_personal_id")?,
            name: text("name")?,
            birthdate: text("birthdate"),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The state allows no such step any more.
    NotNow,
    Wrong,
    Wait,
}

/// What the page shows.
pub struct Standing {
    pub state: LinkState,
    /// The account in question, where there is exactly one.
    pub username: Option<&'static str>,
    pub recorded: Option<(String, String)>,
    pub dossiers: &'static [&'static str],
}

#[derive(Default)]
pub struct OldAccounts(Mutex<Vec<OldAccount>>);

impl OldAccounts {
    /// One for each state.
    pub fn seeded() -> OldAccounts {
        let old = |username, number, name: &str, birthdate: &str, dossiers| OldAccount {
            username,
            number,
            name: name.to_owned(),
            birthdate: birthdate.to_owned(),
            dossiers,
            linked: None,
            wrong: 0,
            waits_until: None,
        };
        OldAccounts(Mutex::new(vec![
            old(
                "nguyenvanan90",
                "099090000001",
                "Nguyễn Văn An",
                "1990-05-19",
                &["G22.99.01-210412-0007", "G22.99.01-230908-0031"],
            ),
            old("tranthibinh", "099192000002", "Trần Thị Bính", "1992-11-20", &["G22.99.01-220115-0102"]),
            old("phongdq", "099080000008", "Đặng Quốc Phong", "1980-02-03", &[]),
            old("dangphong80", "099080000008", "Đặng Quốc Phong", "1980-02-03", &[]),
        ]))
    }

    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub fn standing(&self, citizen: &Citizen) -> Standing {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing(&rows, citizen)
    }

    /// Links the one account that agrees, by its password.
    pub fn link(&self, citizen: &Citizen, password: &str, now: Moment) -> Result<(), Refused> {
        self.change(citizen, (LinkState::LinkableVerifiedMatch, password), now, |row| {
            row.linked = Some(citizen.sub.clone());
        })
    }

    /// Takes over what VNeID vouches for, so that a record with a mistake can be linked (`domain.md` 2.5).
    pub fn update(&self, citizen: &Citizen, password: &str, now: Moment) -> Result<(), Refused> {
        self.change(citizen, (LinkState::MismatchNeedsUpdate, password), now, |row| {
            row.name.clone_from(&citizen.name);
            if let Some(birthdate) = &citizen.birthdate {
                row.birthdate.clone_from(birthdate);
            }
        })
    }

    fn change(
        &self,
        citizen: &Citizen,
        (from, password): (LinkState, &str),
        now: Moment,
        change: impl FnOnce(&mut OldAccount),
    ) -> Result<(), Refused> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if standing(&rows, citizen).state != from {
            return Err(Refused::NotNow);
        }
        let Some(row) = rows.iter_mut().find(|row| row.number == citizen.number) else { return Err(Refused::NotNow) };
        if row.waits_until.is_some_and(|until| now < until) {
            return Err(Refused::Wait);
        }
        if password != OLD_PASSWORD {
            row.wrong += 1;
            if row.wrong >= TRIES {
                row.wrong = 0;
                row.waits_until = Some(now + WAITS);
            }
            return Err(Refused::Wrong);
        }
        row.wrong = 0;
        change(row);
        Ok(())
    }
}

fn standing(rows: &[OldAccount], citizen: &Citizen) -> Standing {
    let mine: Vec<&OldAccount> =
        rows.iter().filter(|row| row.number == citizen.number || row.linked.as_ref() == Some(&citizen.sub)).collect();
    let facts: Vec<LocalAccount> = mine
        .iter()
        .map(|row| LocalAccount {
            linked: match &row.linked {
                None => LinkedTo::Nobody,
                Some(sub) if *sub == citizen.sub => LinkedTo::This,
                Some(_) => LinkedTo::Another,
            },
            agrees: row.name.to_lowercase() == citizen.name.to_lowercase()
                && citizen.birthdate.as_ref().is_none_or(|birthdate| *birthdate == row.birthdate),
        })
        .collect();
    let one = mine.iter().find(|row| row.linked.as_ref() == Some(&citizen.sub)).or(match mine.as_slice() {
        [one] => Some(one),
        _ => None,
    });
    Standing {
        state: state(&facts),
        username: one.map(|row| row.username),
        recorded: one.map(|row| (row.name.clone(), row.birthdate.clone())),
        dossiers: one.filter(|row| row.linked.is_some()).map(|row| row.dossiers).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn citizen(number: &str, name: &str, birthdate: Option<&str>) -> Citizen {
        Citizen {
            sub: format!("sub of {number}"),
            number: number.to_owned(),
            name: name.to_owned(),
            birthdate: birthdate.map(str::to_owned),
        }
    }

    #[test]
    fn domain_2_5_each_seeded_account_is_in_its_state_and_moves_by_both_proofs() {
        let (old, now) = (OldAccounts::seeded(), Moment::from_unix(1_000));
        let an = citizen("099090000001", "Nguyễn Văn An", Some("1990-05-19"));
        let binh = citizen("099192000002", "Trần Thị Bình", Some("1992-11-02"));
        let phong = citizen("099080000008", "Đặng Quốc Phong", None);
        let em = citizen("099080000007", "Hoàng Văn Em", None);
        let of = |who: &Citizen| old.standing(who).state;
        assert_eq!(of(&an), LinkState::LinkableVerifiedMatch);
        assert_eq!(of(&binh), LinkState::MismatchNeedsUpdate);
        assert_eq!(of(&phong), LinkState::ConflictTwoLocalAccounts);
        assert_eq!(of(&em), LinkState::NoLocalAccount);
        assert_eq!(old.link(&binh, OLD_PASSWORD, now), Err(Refused::NotNow));
        assert_eq!(old.link(&phong, OLD_PASSWORD, now), Err(Refused::NotNow));
        assert_eq!(old.link(&an, "wrong", now), Err(Refused::Wrong));
        assert_eq!(old.link(&an, OLD_PASSWORD, now), Ok(()));
        assert_eq!(of(&an), LinkState::Linked);
        assert_eq!(old.standing(&an).dossiers.len(), 2);
        assert_eq!(old.link(&an, OLD_PASSWORD, now), Err(Refused::NotNow), "once");
        // Somebody else under the same number: the account is another's now.
        assert_eq!(of(&Citizen { sub: "another".to_owned(), ..an }), LinkState::ConflictTwoLocalAccounts);
        assert_eq!(old.update(&binh, OLD_PASSWORD, now), Ok(()));
        assert_eq!(of(&binh), LinkState::LinkableVerifiedMatch);
    }

    #[test]
    fn an_old_password_is_not_guessed() {
        let (old, now) = (OldAccounts::seeded(), Moment::from_unix(1_000));
        let an = citizen("099090000001", "Nguyễn Văn An", None);
        for _ in 0..TRIES {
            assert_eq!(old.link(&an, "wrong", now), Err(Refused::Wrong));
        }
        assert_eq!(old.link(&an, OLD_PASSWORD, now), Err(Refused::Wait));
        assert_eq!(old.link(&an, OLD_PASSWORD, now + WAITS), Ok(()));
    }
}
