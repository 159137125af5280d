//! What the rules ask of a holder beyond the account itself: age and guardianship, a foreigner's papers, the end of an
//! organisation, and who may act for one.

use super::account::Account;
use super::birth::Birth;
use super::id::Id;
use super::moment::Moment;

/// Facts, never conclusions: what follows from them is `standing`'s to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Kept of children and of whoever has a guardian.
    pub born: Option<Birth>,
    /// Under guardianship at any age; a child is so by age alone.
    pub ward: bool,
    /// When a foreigner's residence permit stops being valid (ND69 Art 15).
    pub permit_expires: Option<Moment>,
    /// When a foreigner's passport or travel paper does.
    pub passport_expires: Option<Moment>,
    /// When an organisation was dissolved or stopped. Nothing undoes it.
    pub dissolved_at: Option<Moment>,
}

/// How somebody may act for an organisation (ND69 Art 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Legal,
    Delegate,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Role::Legal => "legal",
            Role::Delegate => "delegate",
        }
    }

    pub fn parse(name: &str) -> Option<Role> {
        [Role::Legal, Role::Delegate].into_iter().find(|role| role.name() == name)
    }
}

/// One person who may act for an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representation {
    pub organisation: Id<Account>,
    pub person: Id<Account>,
    pub role: Role,
    /// The legal representative a delegate was bound by.
    pub bound_by: Option<Id<Account>>,
    pub from: Moment,
    pub until: Option<Moment>,
}

impl Representation {
    fn runs(&self, now: Moment) -> bool {
        now >= self.from && self.until.is_none_or(|until| now < until)
    }
}

/// Whether a person represents an organisation now, from all its records. A delegate does only under a legal
/// representative of now: after a change every delegate is bound anew (`domain.md` 6.3).
pub fn represents(records: &[Representation], person: &Id<Account>, now: Moment) -> bool {
    let legal = |id: &Id<Account>| {
        records.iter().any(|record| record.person == *id && record.role == Role::Legal && record.runs(now))
    };
    records.iter().filter(|record| record.person == *person && record.runs(now)).any(|record| match record.role {
        Role::Legal => true,
        Role::Delegate => record.bound_by.as_ref().is_some_and(legal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_unix(seconds)
    }

    fn record(person: &str, bound_by: Option<&str>, from: i64, until: Option<i64>) -> Representation {
        Representation {
            organisation: Id::new("o"),
            person: Id::new(person),
            role: if bound_by.is_some() { Role::Delegate } else { Role::Legal },
            bound_by: bound_by.map(Id::new),
            from: at(from),
            until: until.map(at),
        }
    }

    #[test]
    fn nd69_art_12_a_delegate_stops_with_the_representative_who_bound_them() {
        let records = [
            record("old", None, 0, Some(100)),
            record("new", None, 100, None),
            record("of-old", Some("old"), 0, None),
            record("of-new", Some("new"), 50, Some(200)),
            record("of-delegate", Some("of-old"), 0, None),
        ];
        for (person, from, until) in
            [("old", 0, 100), ("new", 100, 1000), ("of-old", 0, 100), ("of-new", 100, 200), ("of-delegate", 0, 0)]
        {
            for now in [0, 49, 50, 99, 100, 199, 200, 999] {
                let expected = (from..until).contains(&now);
                assert_eq!(represents(&records, &Id::new(person), at(now)), expected, "{person} at {now}");
            }
        }
        assert!(!represents(&records, &Id::new("stranger"), at(50)));
    }
}
