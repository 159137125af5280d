//! Work that takes long, done aside: on a thread that has the processor whenever nobody else wants it.
//!
//! Whatever wakes up goes before it at once, where `nice` would only make it wait shorter. So that a processor nobody ever
//! leaves free keeps no one waiting for ever, whoever asked gives up after a while and does the work itself. The thread
//! shares no lock but with the one who asks: preempted while it held another, it would hold up those it stands back for.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};

use crate::domain::Fault;

/// How far a thread stands back that takes turns with everybody else (`nice`).
pub const STANDS_BACK: i32 = 10;

/// A thread of its own, for one who asks. It ends when this is dropped.
pub struct Aside<T, R> {
    give: SyncSender<T>,
    take: Receiver<R>,
    /// Whether an answer is owed that nobody waits for any more.
    owed: bool,
}

impl<T: Send + 'static, R: Send + 'static> Aside<T, R> {
    pub fn new(name: &str, work: impl Fn(T) -> R + Send + 'static) -> Result<Aside<T, R>, Fault> {
        let (give, tasks) = sync_channel(1);
        let (answers, take) = sync_channel(1);
        let life = move || {
            wait_for_all_others();
            for task in tasks {
                if answers.send(work(task)).is_err() {
                    return;
                }
            }
        };
        let named = thread::Builder::new().name(name.to_owned());
        named.spawn(life).map_err(|error| Fault::unavailable("factor", error))?;
        Ok(Aside { give, take, owed: false })
    }

    /// What came of it, or nothing when it did not come in time; nor is anything asked before the last answer came.
    pub fn ask(&mut self, task: T, patience: Duration) -> Option<R> {
        if self.owed && self.take.try_recv().is_err() {
            return None;
        }
        self.owed = match self.give.try_send(task) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return None,
        };
        let answer = self.take.recv_timeout(patience).ok();
        self.owed = answer.is_none();
        answer
    }
}

/// Where a thread cannot have a priority of its own, what is asked of it has to be bounded otherwise.
pub fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STANDS_BACK) {
        tracing::warn!(%error, "long work keeps the priority of everything else");
    }
}

/// Where it may not wait for all others, it stands back at least.
fn wait_for_all_others() {
    stand_back();
    #[cfg(target_os = "linux")]
    {
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy) {
            tracing::warn!(%error, "long work takes turns with everything else");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn whoever_asks_is_answered() {
        let mut aside = Aside::new("aside", |number: u32| number + 1).unwrap();
        for number in 0..100 {
            assert_eq!(aside.ask(number, LONG), Some(number + 1));
        }
    }

    #[test]
    fn nobody_waits_for_a_thread_that_gets_no_turn_and_late_answers_are_nobodys() {
        let (turn, turns) = sync_channel::<()>(2);
        let slow = move |number: u32| {
            turns.recv().unwrap();
            number
        };
        let mut aside = Aside::new("aside", slow).unwrap();
        for number in 0..3 {
            assert_eq!(aside.ask(number, SHORT), None, "{number}");
        }
        turn.send(()).unwrap();
        turn.send(()).unwrap();
        let answer = std::iter::repeat_with(|| aside.ask(7, LONG)).find_map(|answer| answer);
        assert_eq!(answer, Some(7), "not that of the first question");
    }

    /// SCHED_IDLE, as the field `policy` of a thread's `stat` has it (proc(5)), by what stands behind its name.
    #[cfg(target_os = "linux")]
    #[test]
    fn everybody_else_goes_first() {
        let policy = |_: ()| {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            stat.rsplit(')').next().unwrap().split_whitespace().nth(38).unwrap().to_owned()
        };
        assert_eq!(policy(()), "0");
        assert_eq!(Aside::new("aside", policy).unwrap().ask((), LONG).as_deref(), Some("5"));
    }
}
