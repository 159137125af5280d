//! Dates as Vietnamese screens write them: dd/MM/yyyy, Vietnam time.

use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::domain::Moment;

/// UTC+7 all year.
const VIETNAM: Option<FixedOffset> = FixedOffset::east_opt(7 * 3600);

fn at(moment: Moment) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::from_timestamp(moment.unix(), 0)?.with_timezone(&VIETNAM?))
}

/// `05/07/2024`
pub fn day(moment: Moment) -> String {
    at(moment).map_or_else(String::new, |time| time.format("%d/%m/%Y").to_string())
}

/// `05/07/2024 10:00`
pub fn minute(moment: Moment) -> String {
    at(moment).map_or_else(String::new, |time| time.format("%d/%m/%Y %H:%M").to_string())
}

/// `05/07/2024 10:00:59`
pub fn second(moment: Moment) -> String {
    at(moment).map_or_else(String::new, |time| time.format("%d/%m/%Y %H:%M:%S").to_string())
}

/// An ISO 8601 date or time as screens show it; `None` when the text is neither. OIDC Core §5.1: a birthdate may
/// lack its year (`0000-05-12`).
pub fn from_iso(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("0000-") {
        // A leap year stands in, so that 29 February is a date.
        return Some(NaiveDate::parse_from_str(&format!("2000-{rest}"), "%Y-%m-%d").ok()?.format("%d/%m").to_string());
    }
    if text.len() == 10 {
        return Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.format("%d/%m/%Y").to_string());
    }
    if text.len() > 10 && text.is_ascii() {
        return Some(minute(Moment::from_unix(DateTime::parse_from_rfc3339(text).ok()?.timestamp())));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_vietnam_time() {
        let new_year = Moment::from_unix(1_767_200_400);
        assert_eq!(minute(new_year), "01/01/2026 00:00");
        assert_eq!(second(new_year), "01/01/2026 00:00:00");
        assert_eq!(day(new_year), "01/01/2026");
        assert_eq!(day(Moment::from_unix(i64::MAX)), "");
    }

    #[test]
    fn iso_dates_become_ours_and_other_text_is_left_alone() {
        let rows = [
            ("1990-02-03", Some("03/02/1990")),
            ("0000-02-29", Some("29/02")),
            ("2024-07-05T03:00:00Z", Some("05/07/2024 10:00")),
            ("1990", None),
            ("1990-13-03", None),
            ("099090000001", None),
            ("Nguyễn Văn An", None),
            ("", None),
        ];
        for (iso, expected) in rows {
            assert_eq!(from_iso(iso).as_deref(), expected, "{iso}");
        }
    }
}
