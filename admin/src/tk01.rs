//! Form TK01 as it came, from a page or from a program: read by one set of rules into an application, or told which field is
//! not right.

use idp::domain::PersonNumber;
use idp::domain::application::{
    self, Application, CardShown, Checked, MOST_DEPENDANTS, Matched, PAPERS, Reference, Stated, Wanted, day,
};
use idp::domain::claim::ClaimName;
use idp::domain::registration::Reason;
use idp::domain::statement::Statement;
use idp::flow::officer::enrol::{REASONS, Verdict};
use serde::Deserialize;

/// The name of a field that is not right.
pub type Field = &'static str;

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    /// 1 for a child or a ward without an account, otherwise 2.
    #[serde(default = "two")]
    pub level: u8,
    /// Of somebody without an account, as the three after it; an account says all four of its holder.
    #[serde(default)]
    pub person_number: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub birthdate: String,
    #[serde(default)]
    pub gender: String,
    pub phone: String,
    /// The officer saw that the subscription is the person's own.
    pub phone_own: bool,
    #[serde(default)]
    pub email: String,
    /// The officer met the person and checked who they are.
    pub seen: bool,
    #[serde(default)]
    pub no_card: bool,
    #[serde(default)]
    pub card_suffix: String,
    #[serde(default)]
    pub card_expires: String,
    #[serde(default)]
    pub card_endless: bool,
    /// The two matches of level 2, and only there.
    #[serde(default)]
    pub face: String,
    #[serde(default)]
    pub fingerprint: String,
    pub form: String,
    #[serde(default)]
    pub dependants: Vec<String>,
    /// Of a child or a ward: the guardian's number.
    #[serde(default)]
    pub guardian: String,
    #[serde(default)]
    pub papers: Vec<String>,
}

const fn two() -> u8 {
    2
}

impl Filled {
    /// For somebody who has an account, and so a number, a name and the rest on file.
    pub fn upgrade(&self, number: PersonNumber) -> Result<Application, Field> {
        let given = [
            ("person_number", &self.person_number),
            ("name", &self.name),
            ("birthdate", &self.birthdate),
            ("gender", &self.gender),
        ];
        match given.into_iter().find(|(_, value)| !value.is_empty()) {
            Some((field, _)) => Err(field),
            None if self.level != two() => Err("level"),
            None => self.application(number, None),
        }
    }

    /// For somebody without an account.
    pub fn first(&self) -> Result<Application, Field> {
        let number = PersonNumber::parse(&self.person_number).ok_or("person_number")?;
        let stated = self.stated()?;
        self.application(number, Some(stated))
    }

    fn application(&self, number: PersonNumber, stated: Option<Stated>) -> Result<Application, Field> {
        if !self.seen {
            return Err("seen");
        }
        if !self.phone_own {
            return Err("phone_own");
        }
        let phone = application::phone(&self.phone).ok_or("phone")?;
        let email = match self.email.as_str() {
            "" => None,
            text => Some(application::email(text).ok_or("email")?),
        };
        let wanted = self.wanted()?;
        let checked = Checked { card: self.card()?, form: Statement::parse(&self.form).ok_or("form")? };
        Ok(Application {
            wanted,
            guardian: self.guardian(&number)?,
            number,
            stated,
            phone,
            email,
            dependants: self.dependants()?,
            papers: self.papers()?,
            checked,
        })
    }

    fn wanted(&self) -> Result<Wanted, Field> {
        // What level 1 neither takes nor opens is not written down.
        let beyond = [
            ("face", self.face.is_empty()),
            ("fingerprint", self.fingerprint.is_empty()),
            ("dependants", self.dependants.is_empty()),
            ("papers", self.papers.is_empty()),
        ];
        match (self.level, beyond.into_iter().find(|(_, is_empty)| !is_empty)) {
            (1, None) => Ok(Wanted::LevelOne),
            (1, Some((field, _))) => Err(field),
            (2, _) => Ok(Wanted::LevelTwo(Matched {
                face: Reference::parse(&self.face).ok_or("face")?,
                fingerprint: Reference::parse(&self.fingerprint).ok_or("fingerprint")?,
            })),
            _ => Err("level"),
        }
    }

    fn stated(&self) -> Result<Stated, Field> {
        Ok(Stated {
            name: application::name(&self.name).ok_or("name")?,
            birthdate: day(&self.birthdate).ok_or("birthdate")?,
            gender: ["male", "female"].into_iter().find(|known| *known == self.gender).ok_or("gender")?.to_owned(),
        })
    }

    fn card(&self) -> Result<Option<CardShown>, Field> {
        match (self.no_card, self.card_suffix.as_str(), self.card_expires.as_str()) {
            (true, "", "") if !self.card_endless => Ok(None),
            (true, ..) => Err("no_card"),
            (false, suffix, expires) => {
                let last = match (self.card_endless, expires) {
                    (true, "") => None,
                    (false, text) => Some(day(text).ok_or("card_expires")?),
                    (true, _) => return Err("card_endless"),
                };
                CardShown::parse(suffix, last).map(Some).ok_or("card_suffix")
            }
        }
    }

    fn dependants(&self) -> Result<Vec<PersonNumber>, Field> {
        if self.dependants.len() > MOST_DEPENDANTS {
            return Err("dependants");
        }
        self.dependants.iter().map(|number| PersonNumber::parse(number.trim()).ok_or("dependants")).collect()
    }

    fn guardian(&self, own: &PersonNumber) -> Result<Option<PersonNumber>, Field> {
        match self.guardian.as_str() {
            "" => Ok(None),
            text => PersonNumber::parse(text).filter(|number| number != own).map(Some).ok_or("guardian"),
        }
    }

    fn papers(&self) -> Result<Vec<ClaimName>, Field> {
        let wanted = |paper: &String| PAPERS.contains(&paper.as_str()).then(|| ClaimName::find(paper)).flatten();
        self.papers.iter().map(|paper| wanted(paper).ok_or("papers")).collect()
    }
}

/// What is decided about an application; `None` where that is not said plainly.
pub fn verdict(decision: &str, card_expires: &str, reason: &str) -> Option<Verdict> {
    match (decision, card_expires, reason) {
        ("grant", "", "") => Some(Verdict::Grant(None)),
        ("grant", last, "") => day(last).map(|last| Verdict::Grant(Some(last))),
        ("refuse", "", reason) => Reason::parse(reason).filter(|reason| REASONS.contains(reason)).map(Verdict::Refuse),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field, and how it is spoiled.
    type Row = (Field, fn(&mut Filled));

    fn filled() -> Filled {
        Filled {
            level: 2,
            phone: "0912 000 002".to_owned(),
            phone_own: true,
            seen: true,
            card_suffix: "0002".to_owned(),
            card_expires: "31/12/2039".to_owned(),
            face: "FM-2026-0001".to_owned(),
            fingerprint: "VT-2026-0001".to_owned(),
            form: "77/2026".to_owned(),
            ..Filled::default()
        }
    }

    fn new() -> Filled {
        Filled {
            person_number: "099198000009".to_owned(),
            name: "Ngô Thị Mai".to_owned(),
            birthdate: "1998-03-12".to_owned(),
            gender: "female".to_owned(),
            ..filled()
        }
    }

    #[test]
    fn each_field_that_is_not_right_is_named() {
        let number = || PersonNumber::parse("099192000002").unwrap();
        let read = filled().upgrade(number()).ok().unwrap();
        assert_eq!((read.phone.as_str(), read.stated.is_none()), ("+84912000002", true), "control");
        let rows: [Row; 21] = [
            ("level", |form| form.level = 1),
            ("seen", |form| form.seen = false),
            ("phone_own", |form| form.phone_own = false),
            ("phone", |form| form.phone = "12".to_owned()),
            ("email", |form| form.email = "nobody".to_owned()),
            ("face", |form| form.face = "data:image/png;base64,iV".to_owned()),
            ("fingerprint", |form| form.fingerprint.clear()),
            ("form", |form| form.form = "099192000002".to_owned()),
            ("card_suffix", |form| form.card_suffix = "2".to_owned()),
            ("card_expires", |form| form.card_expires = "31/02/2039".to_owned()),
            ("card_expires", |form| form.card_expires.clear()),
            ("card_endless", |form| form.card_endless = true),
            ("no_card", |form| form.no_card = true),
            ("dependants", |form| form.dependants = vec!["1".to_owned()]),
            ("dependants", |form| form.dependants = vec!["099314000012".to_owned(); 21]),
            ("guardian", |form| form.guardian = "12".to_owned()),
            ("guardian", |form| form.guardian = "099192000002".to_owned()),
            ("papers", |form| form.papers = vec!["name".to_owned()]),
            ("name", |form| form.name = "Somebody Else".to_owned()),
            ("gender", |form| form.gender = "male".to_owned()),
            ("person_number", |form| form.person_number = "099198000009".to_owned()),
        ];
        for (field, spoil) in rows {
            let mut form = filled();
            spoil(&mut form);
            assert_eq!(form.upgrade(number()).err(), Some(field));
        }
    }

    #[test]
    fn who_has_no_account_says_who_they_are() {
        let read = new().first().ok().unwrap();
        assert_eq!(read.stated.map(|stated| stated.name).as_deref(), Some("Ngô Thị Mai"), "control");
        let rows: [Row; 5] = [
            ("person_number", |form| form.person_number = "1".to_owned()),
            ("name", |form| form.name.clear()),
            ("birthdate", |form| form.birthdate = "12/13/1998".to_owned()),
            ("gender", |form| form.gender = "?".to_owned()),
            ("seen", |form| form.seen = false),
        ];
        for (field, spoil) in rows {
            let mut form = new();
            spoil(&mut form);
            assert_eq!(form.first().err(), Some(field));
        }
        let without = Filled { no_card: true, card_suffix: String::new(), card_expires: String::new(), ..new() };
        assert!(without.first().ok().unwrap().checked.card.is_none());
        let endless = Filled { card_endless: true, card_expires: String::new(), ..new() };
        assert!(endless.first().ok().unwrap().checked.card.unwrap().expires.is_none());
    }

    #[test]
    fn level_one_takes_the_form_and_nothing_of_level_two() {
        let bare = || Filled { level: 1, face: String::new(), fingerprint: String::new(), ..new() };
        assert_eq!(bare().first().ok().unwrap().wanted, Wanted::LevelOne, "control");
        let rows: [Row; 6] = [
            ("level", |form| form.level = 0),
            ("level", |form| form.level = 3),
            ("face", |form| form.face = "FM-2026-0001".to_owned()),
            ("fingerprint", |form| form.fingerprint = "VT-2026-0001".to_owned()),
            ("dependants", |form| form.dependants = vec!["099314000012".to_owned()]),
            ("papers", |form| form.papers = vec!["vn_bhyt".to_owned()]),
        ];
        for (field, spoil) in rows {
            let mut form = bare();
            spoil(&mut form);
            assert_eq!(form.first().err(), Some(field));
        }
        assert_eq!(Filled { level: 2, ..bare() }.first().err(), Some("face"));
    }

    #[test]
    fn a_decision_is_said_plainly_or_not_at_all() {
        assert_eq!(verdict("grant", "", ""), Some(Verdict::Grant(None)));
        assert_eq!(verdict("grant", "30/11/2051", ""), Some(Verdict::Grant(day("2051-11-30"))));
        assert_eq!(verdict("refuse", "", "withdrawn"), Some(Verdict::Refuse(Reason::Withdrawn)));
        for (decision, card, reason) in [
            ("grant", "soon", ""),
            ("grant", "", "withdrawn"),
            ("refuse", "", ""),
            ("refuse", "", "superseded"),
            ("refuse", "30/11/2051", "withdrawn"),
            ("", "", ""),
        ] {
            assert_eq!(verdict(decision, card, reason), None, "{decision} {card} {reason}");
        }
    }
}
