use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const ACCOUNT: &str = "a";
const RIGHT: bool = true;
const WRONG: bool = false;

fn at(seconds: i64) -> Moment {
    Moment::from_unix(1_800_000_000 + seconds)
}

fn failures(count: i64, first: i64, last: i64) -> Failures {
    Failures { count, first_at: at(first), last_at: at(last) }
}

/// The rows, and an attempt as the module header says `flow` makes it.
#[derive(Default)]
struct Model {
    rows: BTreeMap<String, Failures>,
    evaluated: Vec<i64>,
}

impl Model {
    fn attempt(&mut self, device: Option<&str>, address: &str, right: bool, now: i64) -> Verdict {
        let counters = password(ACCOUNT, device, address.parse().unwrap());
        let rows = counters.iter().map(|counter| (counter.rule, self.rows.get(&counter.key).copied()));
        let verdict = decide(rows.collect::<Vec<_>>(), at(now));
        if verdict != Verdict::Allow {
            return verdict;
        }
        if device.is_none() {
            self.evaluated.push(now);
        }
        for Counter { rule, key } in counters {
            if right {
                if rule == Rule::KnownDevice {
                    self.rows.remove(&key);
                }
                continue;
            }
            if self.rows.get(&key).is_some_and(|row| rule.is_over(*row, at(now))) {
                self.rows.remove(&key);
            }
            let row = self.rows.entry(key).or_insert(failures(0, now, now));
            row.count += 1;
            row.last_at = at(now);
        }
        verdict
    }

    /// The most evaluations in any 24 hours.
    fn worst_day(&self) -> usize {
        let day =
            |from: &i64| self.evaluated.iter().filter(|at| (*from..*from + DAY.as_seconds()).contains(at)).count();
        self.evaluated.iter().map(day).max().unwrap_or(0)
    }
}

#[test]
fn n_16_delays_grow_with_failures_in_a_row() {
    let rows =
        [(0, 0), (1, 1), (2, 1), (3, 3), (8, 3), (9, 5), (24, 5), (25, 10), (99, 10), (100, 86_400), (5_000, 86_400)];
    for rule in [Rule::Strangers, Rule::KnownDevice] {
        for (count, delay) in rows {
            let row = failures(count, 0, 0);
            for passed in 0..delay.min(12) {
                assert_eq!(rule.verdict(row, at(passed)), Verdict::Wait(Span::seconds(delay - passed)), "{count}");
            }
            assert_eq!(rule.verdict(row, at(delay)), Verdict::Allow, "{count}");
        }
    }
}

#[test]
fn n_16_a_hard_stop_ends_by_itself() {
    let row = failures(100, 0, 50);
    assert_eq!(Rule::Strangers.verdict(row, at(50 + 86_399)), Verdict::Wait(Span::seconds(1)));
    assert_eq!(Rule::Strangers.verdict(row, at(50 + 86_400)), Verdict::Allow);
    assert!(Rule::Strangers.is_over(row, at(50 + 86_400)));
}

#[test]
fn n_17_five_a_minute_and_fifty_in_half_a_day() {
    let minute = Rule::NetworkMinute;
    assert_eq!(minute.verdict(failures(4, 0, 10), at(10)), Verdict::Allow);
    assert_eq!(minute.verdict(failures(5, 0, 10), at(10)), Verdict::Wait(Span::seconds(50)));
    assert_eq!(minute.verdict(failures(5, 0, 10), at(60)), Verdict::Allow);
    let half_day = Rule::NetworkHalfDay;
    let hour = 3_600;
    assert_eq!(half_day.verdict(failures(49, 0, hour), at(hour)), Verdict::Allow);
    assert_eq!(half_day.verdict(failures(50, 0, hour), at(hour)), Verdict::Wait(Span::hours(12)));
    assert_eq!(half_day.verdict(failures(51, 0, hour), at(hour)), Verdict::Wait(Span::seconds(12 * hour / 10 * 11)));
    assert_eq!(half_day.verdict(failures(9_999, 0, hour), at(hour)), Verdict::Wait(Span::days(30)));
    assert!(!half_day.is_over(failures(51, 0, hour), at(20 * hour)), "a pause must be able to grow");
    assert!(half_day.is_over(failures(49, 0, hour), at(12 * hour)));
}

#[test]
fn n_20_ten_guesses_at_a_code_then_ten_minutes() {
    assert_eq!(Rule::Otp.verdict(failures(9, 0, 5), at(5)), Verdict::Allow);
    assert_eq!(Rule::Otp.verdict(failures(10, 0, 5), at(5)), Verdict::Wait(Span::minutes(10)));
    assert_eq!(Rule::Otp.verdict(failures(10, 0, 5), at(605)), Verdict::Allow);
    assert_eq!(Rule::Fact.verdict(failures(4, 0, 5), at(5)), Verdict::Allow);
    assert_eq!(Rule::Fact.verdict(failures(5, 0, 5), at(5)), Verdict::Wait(Span::seconds(86_395)));
    assert_eq!(Rule::Fact.verdict(failures(5, 0, 5), at(86_400)), Verdict::Allow);
    assert_ne!(otp(ACCOUNT, "sign_in").key, otp(ACCOUNT, "phone").key);
}

#[test]
fn a_clock_set_back_makes_no_pause_longer() {
    for rule in [Rule::Strangers, Rule::KnownDevice, Rule::NetworkMinute, Rule::NetworkHalfDay, Rule::Otp, Rule::Fact] {
        let row = failures(10, 1_000_000, 1_000_000);
        match rule.verdict(row, at(0)) {
            Verdict::Allow => {}
            Verdict::Wait(span) => {
                let longest = if rule == Rule::Fact { DAY } else { Span::minutes(10) };
                assert!(span <= longest, "{rule:?} {span:?}");
            }
        }
    }
}

#[test]
fn one_subscriber_is_one_network() {
    let network = |text: &str| network(text.parse().unwrap());
    assert_eq!(network("203.0.113.7"), network("203.0.113.250"));
    assert_eq!(network("203.0.113.7"), network("::ffff:203.0.113.9"));
    assert_ne!(network("203.0.113.7"), network("203.0.114.7"));
    assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:ffff::1"));
    assert_ne!(network("2001:db8:1::1"), network("2001:db8:2::1"));
}

#[test]
fn lg_02_a_botnet_gets_a_hundred_guesses_a_day() {
    let mut model = Model::default();
    for second in 0..3 * 86_400 {
        let address = format!("10.{}.{}.1", second % 4, second % 250);
        model.attempt(None, &address, WRONG, second);
    }
    assert_eq!(model.worst_day(), 100);
}

#[test]
fn p_11_the_owner_signs_in_a_hundred_times_out_of_a_hundred() {
    let mut model = Model::default();
    for second in 0..10_000 {
        model.attempt(None, "198.51.100.7", WRONG, second);
        if second % 100 == 0 {
            let verdict = model.attempt(Some("phone"), "198.51.100.8", RIGHT, second);
            assert_eq!(verdict, Verdict::Allow, "at {second}");
        }
    }
}

/// The pause before each attempt, and its network. A cookie the account never signed in with is no known device,
/// so that an attacker has no other choice.
fn attack() -> impl Strategy<Value = Vec<(i64, u8)>> {
    let pause = prop_oneof![8 => 0..12i64, 2 => 0..4_000i64, 1 => 0..90_000i64];
    prop::collection::vec((pause, 0..5u8), 1..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn p_10_and_p_11_hold_under_any_attack(attack in attack(), owner in 0..5u8) {
        let mut model = Model::default();
        let mut now = 0;
        for (pause, network) in attack {
            now += pause;
            model.attempt(None, &format!("203.0.{network}.1"), WRONG, now);
            let address = format!("203.0.{owner}.2");
            prop_assert_eq!(model.attempt(Some("owner"), &address, RIGHT, now), Verdict::Allow);
        }
        prop_assert!(model.worst_day() <= 100);
        prop_assert!(model.rows.values().all(|row| row.count >= 1));
    }

    #[test]
    fn waiting_as_told_is_enough_and_time_never_adds_to_it(count in 0..200i64, last in 0..100_000i64, passed in 0..3_000_000i64) {
        let row = failures(count, 0, last);
        for rule in [Rule::Strangers, Rule::KnownDevice, Rule::NetworkMinute, Rule::NetworkHalfDay, Rule::Otp, Rule::Fact] {
            if let Verdict::Wait(span) = rule.verdict(row, at(last + passed)) {
                prop_assert!(span > Span::ZERO);
                prop_assert_eq!(rule.verdict(row, at(last + passed) + span), Verdict::Allow);
                if let Verdict::Wait(later) = rule.verdict(row, at(last + passed + 1)) {
                    prop_assert!(later < span);
                }
            }
        }
    }

    #[test]
    fn d_9_no_counter_is_named_like_another(account in "[a-z0-9-]{1,8}", device in "[a-z0-9-]{1,8}") {
        let address = "203.0.113.7".parse().unwrap();
        let mut keys: Vec<_> = password(&account, None, address).into_iter().map(|counter| counter.key).collect();
        keys.extend(password(&account, Some(&device), address).into_iter().map(|counter| counter.key));
        keys.push(otp(&account, &device).key);
        for of in [None, Some(device.as_str())] {
            keys.extend(stops(&password(&account, of, address)));
        }
        keys.extend(stops(&[otp(&account, &device)]));
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), all);
    }
}
