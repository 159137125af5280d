//! Public holidays of Viet Nam (Labour Code Art 112), a table a year, days in Vietnamese time. A year is added before it
//! begins, when the government has announced Tet and the days exchanged with a Saturday. Until then a row is marked
//! `confirm`: it follows the rule of the code and the lunar calendar, and the announcement may move it by a day.

/// One day off work that is no weekend day by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holiday {
    pub year: i32,
    pub month: u32,
    pub day: u32,
    pub name: &'static str,
    /// Not announced yet, or a substitute day: to be confirmed by the operator.
    pub confirm: bool,
}

const fn day(year: i32, month: u32, day: u32, name: &'static str) -> Holiday {
    Holiday { year, month, day, name, confirm: false }
}

const fn confirm(year: i32, month: u32, day: u32, name: &'static str) -> Holiday {
    Holiday { year, month, day, name, confirm: true }
}

const NEW_YEAR: &str = "Tết Dương lịch";
const TET: &str = "Tết Nguyên đán";
const HUNG_KINGS: &str = "Giỗ Tổ Hùng Vương";
const REUNIFICATION: &str = "Ngày Chiến thắng 30/4";
const LABOUR: &str = "Ngày Quốc tế lao động";
const NATIONAL: &str = "Quốc khánh";
const SUBSTITUTE: &str = "Nghỉ bù hoặc hoán đổi";

/// In the order of the calendar.
pub static HOLIDAYS: &[Holiday] = &[
    day(2025, 1, 1, NEW_YEAR),
    day(2025, 1, 27, TET),
    day(2025, 1, 28, TET),
    day(2025, 1, 29, TET),
    day(2025, 1, 30, TET),
    day(2025, 1, 31, TET),
    day(2025, 4, 7, HUNG_KINGS),
    day(2025, 4, 30, REUNIFICATION),
    day(2025, 5, 1, LABOUR),
    confirm(2025, 5, 2, SUBSTITUTE),
    day(2025, 9, 1, NATIONAL),
    day(2025, 9, 2, NATIONAL),
    day(2026, 1, 1, NEW_YEAR),
    confirm(2026, 1, 2, SUBSTITUTE),
    day(2026, 2, 16, TET),
    day(2026, 2, 17, TET),
    day(2026, 2, 18, TET),
    day(2026, 2, 19, TET),
    day(2026, 2, 20, TET),
    day(2026, 4, 26, HUNG_KINGS),
    confirm(2026, 4, 27, SUBSTITUTE),
    day(2026, 4, 30, REUNIFICATION),
    day(2026, 5, 1, LABOUR),
    confirm(2026, 8, 31, SUBSTITUTE),
    day(2026, 9, 1, NATIONAL),
    day(2026, 9, 2, NATIONAL),
    day(2027, 1, 1, NEW_YEAR),
    confirm(2027, 2, 5, TET),
    day(2027, 2, 6, TET),
    day(2027, 2, 7, TET),
    day(2027, 2, 8, TET),
    confirm(2027, 2, 9, TET),
    confirm(2027, 2, 10, SUBSTITUTE),
    confirm(2027, 2, 11, SUBSTITUTE),
    day(2027, 4, 16, HUNG_KINGS),
    day(2027, 4, 30, REUNIFICATION),
    day(2027, 5, 1, LABOUR),
    confirm(2027, 5, 3, SUBSTITUTE),
    day(2027, 9, 2, NATIONAL),
    confirm(2027, 9, 3, NATIONAL),
    day(2028, 1, 1, NEW_YEAR),
    confirm(2028, 1, 3, SUBSTITUTE),
    confirm(2028, 1, 24, TET),
    day(2028, 1, 25, TET),
    day(2028, 1, 26, TET),
    day(2028, 1, 27, TET),
    day(2028, 1, 28, TET),
    day(2028, 4, 4, HUNG_KINGS),
    day(2028, 4, 30, REUNIFICATION),
    day(2028, 5, 1, LABOUR),
    confirm(2028, 5, 2, SUBSTITUTE),
    confirm(2028, 9, 1, NATIONAL),
    day(2028, 9, 2, NATIONAL),
    confirm(2028, 9, 4, SUBSTITUTE),
];
