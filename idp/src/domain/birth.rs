//! A birth date as a rule may ask about it. Partial ones exist (`domain.md` 3.8) and are taken for the youngest they
//! allow, so that a protection of the young never ends too early.

use chrono::{DateTime, Datelike};

use super::moment::{Moment, Span};

/// A year, or a year with month and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Birth {
    year: i32,
    day: Option<(u32, u32)>,
}

impl Birth {
    /// ND69 Art 7, 14: from this age a citizen uses the account alone.
    pub const OWN: i32 = 14;
    /// ND69 Art 7: below this age there is no level 2.
    pub const LEVEL_TWO: i32 = 6;

    /// `YYYY` or `YYYY-MM-DD` (OIDC Core §5.1).
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?;
        let year = |part: &str| (part.len() == 4).then(|| i32::try_from(digits(part)?).ok())?;
        let mut parts = text.split('-');
        let year = parts.next().and_then(year)?;
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Some(Self { year, day: None }),
            (Some(month), Some(day), None) if month.len() == 2 && day.len() == 2 => {
                let (month, day) = (digits(month)?, digits(day)?);
                chrono::NaiveDate::from_ymd_opt(year, month, day)?;
                Some(Self { year, day: Some((month, day)) })
            }
            _ => None,
        }
    }

    /// Full years lived, by the calendar of Vietnam (UTC+7): the fewest the date allows.
    pub fn age(self, now: Moment) -> i32 {
        let here = now + Span::hours(7);
        let today = DateTime::from_timestamp(here.unix(), 0).unwrap_or_default().date_naive();
        let lived = today.year().saturating_sub(self.year);
        let had_birthday = (today.month(), today.day()) >= self.day.unwrap_or((12, 31));
        if had_birthday { lived } else { lived.saturating_sub(1) }
    }

    pub fn is_under(self, age: i32, now: Moment) -> bool {
        self.age(now) < age
    }
}

impl std::fmt::Display for Birth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.day {
            Some((month, day)) => write!(f, "{:04}-{month:02}-{day:02}", self.year),
            None => write!(f, "{:04}", self.year),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noon(date: &str) -> Moment {
        Moment::from_unix(DateTime::parse_from_rfc3339(&format!("{date}T12:00:00+07:00")).unwrap().timestamp())
    }

    #[test]
    fn nd69_art_7_an_age_is_full_years_by_the_calendar_of_vietnam() {
        for (born, on, age) in [
            ("2012-11-22", "2026-11-21", 13),
            ("2012-11-22", "2026-11-22", 14),
            ("2012-02-29", "2026-02-28", 13),
            ("2012-02-29", "2026-03-01", 14),
            ("2012", "2026-12-30", 13),
            ("2012", "2026-12-31", 14),
            ("2030-01-01", "2026-01-01", -4),
        ] {
            assert_eq!(Birth::parse(born).unwrap().age(noon(on)), age, "{born} on {on}");
        }
        // The day begins at 17:00 UTC of the day before.
        let birthday = DateTime::parse_from_rfc3339("2026-11-21T17:00:00Z").unwrap().timestamp();
        let born = Birth::parse("2012-11-22").unwrap();
        assert!(born.is_under(14, Moment::from_unix(birthday - 1)) && !born.is_under(14, Moment::from_unix(birthday)));
    }

    #[test]
    fn only_a_year_or_a_whole_date_is_one() {
        for text in ["2012", "2012-02-29", "0999-01-01"] {
            assert_eq!(Birth::parse(text).map(|born| born.to_string()).as_deref(), Some(text));
        }
        for text in ["", "12", "2012-02", "2013-02-29", "2012-2-9", "2012-02-29-01", "+012", "2012-13-01", "20120229"] {
            assert_eq!(Birth::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_year_alone_is_never_older_than_any_day_of_it(day in 1_u32..=28, month in 1_u32..=12, now in 0_i64..4_000_000_000) {
            let now = Moment::from_unix(now);
            let whole = Birth::parse(&format!("2012-{month:02}-{day:02}")).unwrap();
            prop_assert!(Birth::parse("2012").unwrap().age(now) <= whole.age(now));
        }
    }
}
