//! The calendar the clocks of ND69 Art 13 run on: working days in Vietnamese time, holidays as a table.
//!
//! A period begins on the day after the one it is counted from and ends with its last day, so a deadline is the midnight
//! that ends that day. A Saturday worked in exchange for a holiday does not shorten a clock: the table names days off
//! only, and what is owed to a person is counted in their favour.

pub mod holidays;

use chrono::{DateTime, Datelike, Days, NaiveDate, Weekday};

use super::moment::{Moment, Span};
use holidays::HOLIDAYS;

/// UTC+7 the year round.
const VIETNAM: Span = Span::hours(7);

/// The date in Viet Nam at a moment.
pub fn date(at: Moment) -> NaiveDate {
    DateTime::from_timestamp((at + VIETNAM).unix(), 0).map_or(NaiveDate::MAX, |at| at.date_naive())
}

/// The midnight that ends a day.
pub fn end_of(day: NaiveDate) -> Moment {
    let next = day.succ_opt().unwrap_or(day);
    Moment::from_unix(next.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()) - VIETNAM
}

/// Neither a weekend day nor a holiday.
pub fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !is_holiday(day)
}

fn is_holiday(day: NaiveDate) -> bool {
    let mut of_year = HOLIDAYS.iter().filter(|holiday| holiday.year == day.year()).peekable();
    if of_year.peek().is_none() {
        // A year without a table still has the holidays of the solar calendar.
        return matches!((day.month(), day.day()), (1 | 5, 1) | (4, 30) | (9, 2));
    }
    of_year.any(|holiday| (holiday.month, holiday.day) == (day.month(), day.day()))
}

/// ND69 Art 13: the end of the last of so many working days after `start`.
pub fn deadline(start: Moment, working_days: u32) -> Moment {
    let mut day = date(start);
    let mut left = working_days;
    while left > 0 {
        let Some(next) = day.succ_opt() else { break };
        day = next;
        if is_working_day(day) {
            left = left.saturating_sub(1);
        }
    }
    end_of(day)
}

/// The same for plain days, which run through holidays.
pub fn plain_deadline(start: Moment, days: u32) -> Moment {
    let first = date(start);
    end_of(first.checked_add_days(Days::new(days.into())).unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Moment {
        let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        Moment::from_unix(local.and_utc().timestamp()) - VIETNAM
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn nd69_13_working_days_skip_weekends_and_holidays() {
        for (start, days, ends) in [
            // A Monday; the day itself is not counted.
            ("2026-11-23 09:00", 1, "2026-11-24"),
            ("2026-11-23 00:00", 1, "2026-11-24"),
            ("2026-11-23 23:59", 3, "2026-11-26"),
            // Over a weekend.
            ("2026-11-20 16:30", 1, "2026-11-23"),
            ("2026-11-21 10:00", 1, "2026-11-23"),
            ("2026-11-20 10:00", 7, "2026-12-01"),
            // Tet.
            ("2026-02-13 10:00", 1, "2026-02-23"),
            ("2025-01-24 10:00", 3, "2025-02-05"),
            ("2027-02-04 10:00", 1, "2027-02-12"),
            ("2028-01-21 10:00", 1, "2028-01-31"),
            // Hung Kings on a Sunday, then 30 April and 1 May, in one week.
            ("2026-04-24 10:00", 3, "2026-05-04"),
            ("2026-08-28 10:00", 1, "2026-09-03"),
            // A year without a table.
            ("2031-04-29 10:00", 1, "2031-05-02"),
        ] {
            assert_eq!(deadline(at(start), days), end_of(day(ends)), "{start} + {days}");
        }
        assert_eq!(end_of(day("2026-11-24")), at("2026-11-25 00:00"));
    }

    #[test]
    fn plain_days_run_through_holidays() {
        assert_eq!(plain_deadline(at("2026-02-13 10:00"), 7), at("2026-02-21 00:00"));
        assert_eq!(plain_deadline(at("2026-12-31 23:59"), 15), at("2027-01-16 00:00"));
    }

    #[test]
    fn the_table_is_in_order_and_whole() {
        let days: Vec<_> = HOLIDAYS.iter().map(|h| NaiveDate::from_ymd_opt(h.year, h.month, h.day).unwrap()).collect();
        assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
        for year in 2025..=2028 {
            let of = |name: &str| HOLIDAYS.iter().filter(|h| h.year == year && h.name.starts_with(name)).count();
            let counted = [of("Tết D"), of("Tết N"), of("Giỗ"), of("Ngày C"), of("Ngày Q"), of("Quốc")];
            // Labour Code Art 112(1).
            assert_eq!(counted, [1, 5, 1, 1, 1, 2], "{year}");
            for (month, day) in [(1, 1), (4, 30), (5, 1), (9, 2)] {
                assert!(is_holiday(NaiveDate::from_ymd_opt(year, month, day).unwrap()));
            }
        }
        assert!(HOLIDAYS.iter().filter(|h| h.name.starts_with("Nghỉ")).all(|h| h.confirm));
    }

    #[test]
    fn the_day_turns_at_midnight_in_viet_nam() {
        assert_eq!(date(at("2026-11-22 23:59")), day("2026-11-22"));
        assert_eq!(date(at("2026-11-23 00:00")), day("2026-11-23"));
        assert_eq!(date(Moment::from_unix(i64::MAX)), NaiveDate::MAX);
    }

    proptest! {
        #[test]
        fn a_deadline_ends_a_working_day_and_leaves_exactly_that_many(
            start in 1_735_664_400_i64..1_861_894_800, days in 1_u32..20,
        ) {
            let start = Moment::from_unix(start);
            let ends = deadline(start, days);
            prop_assert!(ends > start);
            let last = date(ends - Span::seconds(1));
            prop_assert!(is_working_day(last));
            let counted = date(start).iter_days().skip(1).take_while(|day| *day <= last).filter(|day| is_working_day(*day));
            prop_assert_eq!(counted.count(), usize::try_from(days).unwrap());
            prop_assert!(deadline(start, days + 1) > ends);
            prop_assert!(plain_deadline(start, days) <= ends);
        }

        #[test]
        fn a_later_start_never_ends_earlier(start in 1_735_664_400_i64..1_861_894_800, later in 0_i64..900_000, days in 1_u32..9) {
            let (a, b) = (Moment::from_unix(start), Moment::from_unix(start + later));
            prop_assert!(deadline(a, days) <= deadline(b, days));
        }
    }
}
