//! Form TK01 as typed: read into an application, or kept as it was for another try.

use idp::domain::PersonNumber;
use idp::domain::application::{
    self, Application, CardShown, Checked, MOST_DEPENDANTS, PAPERS, Reference, Stated, day,
};
use idp::domain::claim::ClaimName;
use idp::domain::statement::Statement;

use crate::web::desk::Sent;

/// What was typed and may be shown again: nobody's number.
#[derive(Clone, Default)]
pub struct Kept {
    pub name: String,
    pub birthdate: String,
    pub phone: String,
    pub email: String,
    pub card_expires: String,
    pub face: String,
    pub fingerprint: String,
    pub form: String,
}

impl Kept {
    pub fn of(form: &Sent) -> Kept {
        let text = |name: &str| form.text(name).to_owned();
        Kept {
            name: text("name"),
            birthdate: text("birthdate"),
            phone: text("phone"),
            email: text("email"),
            card_expires: text("card_expires"),
            face: text("face"),
            fingerprint: text("fingerprint"),
            form: text("form"),
        }
    }
}

/// The application, or the field that is not right.
pub fn application(form: &Sent, number: PersonNumber, is_new: bool) -> Result<Application, &'static str> {
    let stated = is_new.then(|| stated(form)).transpose()?;
    if !form.ticked("seen") {
        return Err("seen");
    }
    if !form.ticked("phone_own") {
        return Err("phone_own");
    }
    let phone = application::phone(form.text("phone")).ok_or("phone")?;
    let email = match form.text("email") {
        "" => None,
        text => Some(application::email(text).ok_or("email")?),
    };
    let mut dependants = Vec::new();
    for line in form.text("dependants").lines().map(str::trim).filter(|line| !line.is_empty()) {
        dependants.push(PersonNumber::parse(line).ok_or("dependants")?);
    }
    if dependants.len() > MOST_DEPENDANTS {
        return Err("dependants");
    }
    let papers = PAPERS.iter().filter(|paper| form.ticked(paper)).filter_map(|paper| ClaimName::find(paper)).collect();
    let checked = Checked {
        card: card(form)?,
        face: Reference::parse(form.text("face")).ok_or("face")?,
        fingerprint: Reference::parse(form.text("fingerprint")).ok_or("fingerprint")?,
        form: Statement::parse(form.text("form")).ok_or("form")?,
    };
    Ok(Application { number, stated, phone, email, dependants, papers, checked })
}

fn stated(form: &Sent) -> Result<Stated, &'static str> {
    let gender = form.text("gender");
    Ok(Stated {
        name: application::name(form.text("name")).ok_or("name")?,
        birthdate: day(form.text("birthdate")).ok_or("birthdate")?,
        gender: ["male", "female"].into_iter().find(|known| *known == gender).ok_or("gender")?.to_owned(),
    })
}

fn card(form: &Sent) -> Result<Option<CardShown>, &'static str> {
    let (suffix, expires) = (form.text("card_suffix"), form.text("card_expires"));
    match (form.ticked("no_card"), suffix, expires) {
        (true, "", "") => Ok(None),
        (true, ..) => Err("no_card"),
        (false, suffix, expires) => {
            let last = match (form.ticked("card_endless"), expires) {
                (true, "") => None,
                (false, text) => Some(day(text).ok_or("card_expires")?),
                (true, _) => return Err("card_endless"),
            };
            CardShown::parse(suffix, last).map(Some).ok_or("card_suffix")
        }
    }
}
