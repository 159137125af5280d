//! Throttle: when the next guess may be evaluated. Pure: counters in, verdict out.
//!
//! It bounds guessing without being a weapon (`security.md` P10, P11, N-16, N-17, N-19). Attempts from devices the
//! account never signed in from share the account's counters; a device it did sign in from has a counter of its
//! own, under its own secret cookie. So a stranger can use up the strangers' guesses, and never the owner's.
//!
//! How `flow` uses it. Before the hash: read the rows of `password(…)` and `decide`; a wait is answered at once.
//! After it, in the transaction that records the outcome: read and `decide` again, and let a wait overrule even a
//! right password, since guesses sent at once must not all count as the first. A wrong password then raises every
//! counter, cleared before when it `is_over`. A right one clears the known device's counter and no other: what
//! strangers used up comes back by time alone, so that an account is guessed at most 100 times in 24 hours. Of the
//! guesses a brake stops, the trail tells of the first after each that was counted.

use std::net::IpAddr;

use crate::domain::{Moment, Span};

/// A counter's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    pub first_at: Moment,
    pub last_at: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// Not before this long from now.
    Wait(Span),
}

/// What a counter counts, which says when it stops further attempts and when it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// An account, from devices it never signed in from.
    Strangers,
    /// An account, from one device it signed in from.
    KnownDevice,
    /// An account, from one network, within a minute.
    NetworkMinute,
    /// An account, from one network, within half a day.
    NetworkHalfDay,
    /// Guesses at an account's codes for one purpose, whichever code is out (LG-11).
    Otp,
    /// Guesses at a fact about the holder, of which there are few enough to try them all.
    Fact,
}

/// A counter by name. The rule is part of the key, so that no counter is ever read as another (D9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub rule: Rule,
    pub key: String,
}

/// N-16: what this many failures in a row cost before the next attempt.
const DELAYS: [(i64, Span); 4] =
    [(1, Span::seconds(1)), (3, Span::seconds(3)), (9, Span::seconds(5)), (25, Span::seconds(10))];
/// SP 800-63B §5.2.2: no more in a row than this.
const HARD_STOP: i64 = 100;
/// A hard stop ends, and a quiet counter is forgotten, after this long.
const DAY: Span = Span::hours(24);

/// N-17.
const MINUTE: Span = Span::seconds(60);
const PER_MINUTE: i64 = 5;
const HALF_DAY: Span = Span::hours(12);
const PER_HALF_DAY: i64 = 50;
const LONGEST_PAUSE: Span = Span::days(30);

/// N-20.
const OTP_GUESSES: i64 = 10;
const OTP_PAUSE: Span = Span::minutes(10);
/// Of some 5,000 days a card may expire on, five a day are a thousandth.
const FACT_GUESSES: i64 = 5;

/// The counters of a password attempt. `account` is any stable name, so that a number nobody has is throttled like
/// one somebody has; `known_device` is the digest of a cookie this account signed in with.
pub fn password(account: &str, known_device: Option<&str>, address: IpAddr) -> Vec<Counter> {
    if let Some(device) = known_device {
        return vec![Counter { rule: Rule::KnownDevice, key: format!("password.device:{account}:{device}") }];
    }
    let network = network(address);
    vec![
        Counter { rule: Rule::Strangers, key: format!("password.account:{account}") },
        Counter { rule: Rule::NetworkMinute, key: format!("password.minute:{account}:{network}") },
        Counter { rule: Rule::NetworkHalfDay, key: format!("password.half_day:{account}:{network}") },
    ]
}

/// The counter of a guess at a code.
pub fn otp(account: &str, purpose: &str) -> Counter {
    Counter { rule: Rule::Otp, key: format!("otp:{account}:{purpose}") }
}

/// The counter of a guess at a fact about the holder.
pub fn fact(account: &str, purpose: &str) -> Counter {
    Counter { rule: Rule::Fact, key: format!("fact:{account}:{purpose}") }
}

/// What stopped guesses under these counters are remembered by, so that the trail tells of the first and not of all.
pub fn stops(counters: &[Counter]) -> Option<String> {
    counters.first().map(|counter| format!("stopped.{}", counter.key))
}

/// All counters together: the longest wait of any.
pub fn decide(rows: impl IntoIterator<Item = (Rule, Option<Failures>)>, now: Moment) -> Verdict {
    let waits = rows.into_iter().filter_map(|(rule, failures)| match rule.verdict(failures?, now) {
        Verdict::Allow => None,
        Verdict::Wait(span) => Some(span),
    });
    waits.max().map_or(Verdict::Allow, Verdict::Wait)
}

impl Rule {
    pub fn verdict(self, failures: Failures, now: Moment) -> Verdict {
        if self.is_over(failures, now) {
            return Verdict::Allow;
        }
        let (from, pause) = match self {
            Rule::Strangers | Rule::KnownDevice => (failures.last_at, delay(failures.count)),
            Rule::NetworkMinute if failures.count >= PER_MINUTE => (failures.first_at, MINUTE),
            Rule::NetworkHalfDay => (failures.last_at, growing(failures.count)),
            Rule::Otp if failures.count >= OTP_GUESSES => (failures.last_at, OTP_PAUSE),
            Rule::Fact if failures.count >= FACT_GUESSES => (failures.first_at, DAY),
            Rule::NetworkMinute | Rule::Otp | Rule::Fact => return Verdict::Allow,
        };
        // A clock set back must not turn a pause of seconds into one of hours.
        let passed = now.since(from).max(Span::ZERO);
        let left = Span::seconds(pause.as_seconds() - passed.as_seconds());
        if left > Span::ZERO { Verdict::Wait(left) } else { Verdict::Allow }
    }

    /// Whether the counter is forgotten: the next failure is the first again.
    pub fn is_over(self, failures: Failures, now: Moment) -> bool {
        match self {
            Rule::Strangers | Rule::KnownDevice => now.since(failures.last_at) >= DAY,
            Rule::NetworkMinute => now.since(failures.first_at) >= MINUTE,
            // Below the bound the window is fixed; above it the pause must be able to grow.
            Rule::NetworkHalfDay if failures.count < PER_HALF_DAY => now.since(failures.first_at) >= HALF_DAY,
            Rule::NetworkHalfDay => now.since(failures.last_at) >= LONGEST_PAUSE,
            Rule::Otp => now.since(failures.last_at) >= OTP_PAUSE,
            Rule::Fact => now.since(failures.first_at) >= DAY,
        }
    }
}

fn delay(count: i64) -> Span {
    if count >= HARD_STOP {
        return DAY;
    }
    DELAYS.iter().rev().find(|(from, _)| count >= *from).map_or(Span::ZERO, |(_, delay)| *delay)
}

/// Twelve hours at the bound, a tenth more for every failure above it, thirty days at most.
fn growing(count: i64) -> Span {
    if count < PER_HALF_DAY {
        return Span::ZERO;
    }
    let mut pause = HALF_DAY.as_seconds();
    for _ in PER_HALF_DAY..count {
        if pause >= LONGEST_PAUSE.as_seconds() {
            break;
        }
        pause = pause / 10 * 11;
    }
    Span::seconds(pause).min(LONGEST_PAUSE)
}

/// The caller's network: the first 24 bits of IPv4, 48 of IPv6. One subscriber changes addresses inside it.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::")
        }
    }
}

#[cfg(test)]
mod tests;
