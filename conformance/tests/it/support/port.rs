//! Ports of loopback for programs the tests start. Each is given out once, so that what starts slowly, or stops for a while,
//! finds its own still there; all lie below the ephemeral range, so that no outgoing connection sits on one.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Mutex;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// For one program.
pub fn one() -> u16 {
    given(31_100, 1, 1_600, |port| vec![port])
}

/// The first of ten for a sandbox and those beside it; two more stand a thousand above.
pub fn ten() -> u16 {
    given(11_000, 10, 1_900, |base| (base..base + 10).chain([base + 1000, base + 1001]).collect())
}

/// The first place of so many that is free with all its ports. Processes beside each other begin elsewhere.
fn given(first: u16, step: u16, places: u16, ports: impl Fn(u16) -> Vec<u16>) -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let begin = std::process::id().wrapping_mul(61) % u32::from(places);
    for n in 0..places {
        let place = (u16::try_from(begin).unwrap() + n) % places;
        let base = first + place * step;
        let ports = ports(base);
        let free = |port: &u16| !given.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok();
        if ports.iter().all(free) {
            given.extend(ports);
            return base;
        }
    }
    panic!("no free port from {first}");
}
