//! Points and lengths of time, in whole seconds. There is no `now()` here: the present is an argument.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// Unix seconds, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

/// A length of time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Moment {
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    pub const fn unix(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was; negative when it lies ahead.
    pub fn since(self, earlier: Moment) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    pub const ZERO: Span = Span(0);

    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    pub const fn minutes(minutes: i64) -> Self {
        Self(minutes * 60)
    }

    pub const fn hours(hours: i64) -> Self {
        Self(hours * 3600)
    }

    pub const fn days(days: i64) -> Self {
        Self(days * 86_400)
    }

    pub const fn as_seconds(self) -> i64 {
        self.0
    }
}

impl Add<Span> for Moment {
    type Output = Moment;
    fn add(self, span: Span) -> Moment {
        Moment(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Moment {
    type Output = Moment;
    fn sub(self, span: Span) -> Moment {
        Moment(self.0.saturating_sub(span.0))
    }
}
