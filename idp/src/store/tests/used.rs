use super::super::{retention, used};
use super::*;

/// `LONG=1` fills the memory of replays as far as the catalogue says.
fn many() -> usize {
    if std::env::var_os("LONG").is_some() { 1_000_000 } else { 10_000 }
}

#[tokio::test]
async fn dp_07_a_full_memory_of_replays_forgets_nothing_within_the_window_and_everything_after_it() {
    within(|db| {
        let name = |n: usize| format!("key proof-{n}");
        for n in 0..many() {
            assert!(used::once(db, "dpop", &name(n), t(1_301))?);
        }
        // What a replay of the last moment meets, with the clock difference we accept on top.
        for now in [t(1_000), t(1_301), t(1_421)] {
            assert_eq!(retention::sweep(db, now)?, 0, "nothing is pushed out by what came after it");
        }
        for n in (0..many()).step_by(many() / 100).chain([many() - 1]) {
            assert!(!used::once(db, "dpop", &name(n), t(1_301))?, "{n} was brought before");
        }
        assert!(used::once(db, "assertion", &name(0), t(1_301))?, "control: another kind");
        let mut swept = 0;
        loop {
            match retention::sweep(db, t(1_422))? {
                0 => break,
                rows => swept += rows,
            }
        }
        assert_eq!(swept, many() + 1, "bounded by the window and the rate");
        assert!(used::once(db, "dpop", &name(0), t(1_301))?);
        Ok(())
    })
    .await;
}
