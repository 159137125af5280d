//! The text in the QR code of an identity card (`domain.md` 3.4). It is not signed: it fills in a form and proves nothing.

use chrono::NaiveDate;

use super::person_number::PersonNumber;

/// What of it a form has fields for.
#[derive(Clone, PartialEq, Eq)]
pub struct CardQr {
    pub number: PersonNumber,
    pub name: String,
    /// `YYYY-MM-DD`.
    pub birthdate: String,
    /// `male` or `female`.
    pub gender: &'static str,
}

impl std::fmt::Debug for CardQr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardQr({})", self.number)
    }
}

/// `CCCD|CMND|HỌ TÊN|ddMMyyyy|Nam/Nữ|ĐỊA CHỈ|ddMMyyyy`; newer cards add fields at the end.
pub fn parse(text: &str) -> Option<CardQr> {
    let fields: Vec<&str> = text.trim().split('|').map(str::trim).collect();
    let [number, old, name, born, gender, _address, issued, ..] = fields.as_slice() else { return None };
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    let old_fits = old.is_empty() || digits(old, 9) || digits(old, 12);
    if !digits(number, 12) || !old_fits || name.is_empty() || name.chars().count() > 200 {
        return None;
    }
    date(issued)?;
    Some(CardQr {
        number: PersonNumber::parse(number)?,
        name: (*name).to_owned(),
        birthdate: date(born)?.to_string(),
        gender: match *gender {
            "Nam" => "male",
            "Nữ" => "female",
            _ => return None,
        },
    })
}

fn date(text: &str) -> Option<NaiveDate> {
    (text.len() == 8).then(|| NaiveDate::parse_from_str(text, "%d%m%Y").ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RIGHT: &str = "099198000009|000000009|Ngô Thị Mai|12031998|Nữ|Số 1, Phường Cầu Giấy, Hà Nội|01082022";

    #[test]
    fn reads_the_fields_a_form_has() {
        let read = parse(RIGHT).unwrap();
        assert_eq!(read.number.reveal(), "099198000009");
        assert_eq!((read.name.as_str(), read.birthdate.as_str(), read.gender), ("Ngô Thị Mai", "1998-03-12", "female"));
        for good in [
            RIGHT.replace("000000009", ""),
            RIGHT.replace("|Nữ|", "|Nam|"),
            format!("{RIGHT}||Ngô Văn Ba|Lý Thị Tư"),
            format!("  {RIGHT}\r\n"),
        ] {
            assert!(parse(&good).is_some(), "{good}");
        }
        for bad in [
            String::new(),
            "099198000009".to_owned(),
            RIGHT.replace("099198000009", "99198000009"),
            RIGHT.replace("12031998", "31021998"),
            RIGHT.replace("12031998", "1998-03-12"),
            RIGHT.replace("Nữ", "F"),
            RIGHT.replace("Ngô Thị Mai", ""),
            RIGHT.replace("000000009", "9"),
            RIGHT.replace("|01082022", ""),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,200}", at in 0_usize..90) {
            let _ = parse(&text);
            let cut: String = RIGHT.chars().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect();
            let _ = parse(&cut);
        }
    }
}
