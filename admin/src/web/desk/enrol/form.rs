//! Form TK01 of a page: read as it was typed, and kept as it was for another try.

use idp::domain::application::PAPERS;

use crate::tk01::Filled;
use crate::web::desk::Sent;

/// What was typed and may be shown again: nobody's number.
#[derive(Clone, Default)]
pub struct Kept {
    pub level_one: bool,
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
    pub fn of(filled: Filled) -> Kept {
        let Filled { level, name, birthdate, phone, email, card_expires, face, fingerprint, form, .. } = filled;
        Kept { level_one: level == 1, name, birthdate, phone, email, card_expires, face, fingerprint, form }
    }
}

pub fn filled(form: &Sent) -> Filled {
    let text = |name: &str| form.text(name).to_owned();
    let lines = form.text("dependants").lines().map(str::trim).filter(|line| !line.is_empty());
    let papers = PAPERS.into_iter().filter(|paper| form.ticked(paper));
    // A form for level 2 alone does not ask for the level.
    let level = match form.text("level") {
        "" => 2,
        text => text.parse().unwrap_or(0),
    };
    Filled {
        level,
        person_number: text("person_number"),
        name: text("name"),
        birthdate: text("birthdate"),
        gender: text("gender"),
        phone: text("phone"),
        phone_own: form.ticked("phone_own"),
        email: text("email"),
        seen: form.ticked("seen"),
        no_card: form.ticked("no_card"),
        card_suffix: text("card_suffix"),
        card_expires: text("card_expires"),
        card_endless: form.ticked("card_endless"),
        face: text("face"),
        fingerprint: text("fingerprint"),
        form: text("form"),
        dependants: lines.map(str::to_owned).collect(),
        guardian: text("guardian"),
        papers: papers.map(str::to_owned).collect(),
    }
}
