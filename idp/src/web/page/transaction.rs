//! The transaction page: what the holder approves, whole and as it will be carried (ND69 Art 14(3)).

use askama::Template;

use super::{Asker, Frame, rendered};
use crate::domain::Fault;
use crate::domain::transaction::{self, Dong};

#[derive(Clone, Debug, Template)]
#[template(path = "transaction.html")]
pub struct Transaction {
    pub frame: Frame,
    pub asker: Asker,
    /// Who approves.
    pub holder: String,
    pub act: Act,
}

/// An act as it is read, on its page and later on the holder's own.
#[derive(Clone, Debug)]
pub struct Act {
    pub text: String,
    /// The language of `text`: Vietnamese where the client wrote no other.
    pub language: &'static str,
    pub amount: Option<String>,
    pub payee: Option<String>,
    pub identifier: String,
}

impl Act {
    pub fn of(transaction: &transaction::Transaction, language: &'static str) -> Act {
        let (text, written_in) = transaction.text.in_language(language);
        Act {
            text: text.to_owned(),
            language: written_in,
            amount: transaction.amount.map(|amount| money(amount, language)),
            payee: transaction.payee.clone(),
            identifier: transaction.identifier.clone(),
        }
    }
}

impl Transaction {
    pub fn of(frame: Frame, asker: Asker, holder: String, transaction: &transaction::Transaction) -> Self {
        let act = Act::of(transaction, frame.language);
        Self { frame, asker, holder, act }
    }

    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

/// `1.500.000 đồng`, `VND 1,500,000`: as each language groups its digits.
pub fn money(Dong(value): Dong, language: &str) -> String {
    let digits = value.to_string();
    let (mark, mut grouped) = (if language == "en" { ',' } else { '.' }, String::new());
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(mark);
        }
        grouped.push(digit);
    }
    if language == "en" { format!("VND {grouped}") } else { format!("{grouped} đồng") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_grouped_as_each_language_writes_it() {
        for (value, vi, en) in [
            (1, "1 đồng", "VND 1"),
            (999, "999 đồng", "VND 999"),
            (1_000, "1.000 đồng", "VND 1,000"),
            (150_000, "150.000 đồng", "VND 150,000"),
            (999_999_999_999_999, "999.999.999.999.999 đồng", "VND 999,999,999,999,999"),
        ] {
            assert_eq!((money(Dong(value), "vi").as_str(), money(Dong(value), "en").as_str()), (vi, en));
        }
    }
}
