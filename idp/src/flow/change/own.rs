//! What is on file of a person, opened to hold a new password against it.

use crate::domain::account::Account;
use crate::domain::{Fault, Id};
use crate::factor::password::rules::{self, Person, Weakness};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::{self, Db};

pub struct Known {
    pub number: String,
    pub phone: Option<String>,
    pub name: String,
    pub birthdate: String,
    pub hash: Option<String>,
}

impl Known {
    pub fn check_new(&self, password: &str) -> Result<(), Weakness> {
        let phones: Vec<&str> = self.phone.iter().map(String::as_str).collect();
        let person = Person { number: &self.number, phones: &phones, name: &self.name, birthdate: &self.birthdate };
        rules::check_new(password, &person)
    }
}

pub fn known(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Known, Fault> {
    let Some(on_file) = store::account::credentials(db, account)? else {
        return Err(Fault::broken("flow", "an account vanished"));
    };
    let mut known = Known {
        number: sealed::open_person(account, &on_file.person, &idp.vault)?.reveal().to_owned(),
        phone: on_file.phone.map(|phone| sealed::open_phone(account, &phone, &idp.vault)).transpose()?,
        name: String::new(),
        birthdate: String::new(),
        hash: on_file.password_hash,
    };
    for kept in store::account::claims(db, account)? {
        let field = match kept.claim.as_str() {
            "name" => &mut known.name,
            "birthdate" => &mut known.birthdate,
            _ => continue,
        };
        let value = sealed::open_claim(account, kept.claim, &kept.value, &idp.vault)?;
        *field = value.as_str().unwrap_or_default().to_owned();
    }
    Ok(known)
}
