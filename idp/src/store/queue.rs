//! Work waiting for a thread that owns a connection, and how its answer finds the way back.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::db::{CLOSED, Db, READ_ONLY};
use super::home::Home;
use crate::domain::Fault;
use crate::domain::fault::Cause;

/// More waiting than this is answered as overload.
const BOUND: usize = 4096;

/// Most pieces of work that are kept together.
pub(super) const GROUP: usize = 64;

/// What a piece of work did to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its effect stays.
    Keep,
    /// Its effect goes.
    Undo,
    /// Its effect goes, and the connection cannot be trusted.
    Discard,
    /// The same, and every connection as old as this one is in the same state.
    DiscardAll,
}

impl Verdict {
    pub(super) fn of(fault: &Fault) -> Verdict {
        if fault.room != "store" || fault.cause != Cause::Unavailable {
            Verdict::Undo
        } else if fault.detail.starts_with(READ_ONLY) || fault.detail.starts_with(CLOSED) {
            Verdict::DiscardAll
        } else {
            Verdict::Discard
        }
    }
}

/// What a piece of work needs around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It only reads.
    Nothing,
    Transaction,
    /// A transaction that, as a rule, reads clients and adds rows, and no more. It may be run again.
    Addition,
}

/// A piece of work: run on the thread of the connection, answered once its effect is decided.
pub(super) trait Job: Send {
    fn need(&self) -> Need;
    /// Whether it may be run again once its effect was taken back.
    fn is_repeatable(&self) -> bool;
    /// Where its answer is waited for, if on one thread.
    fn home(&self) -> Option<&Home>;
    fn run(&mut self, db: &mut Db) -> Verdict;
    /// `spoiled` takes the place of a good result when the effect could not be kept.
    fn answer(self: Box<Self>, spoiled: Option<Fault>);
}

pub(super) struct Asked<T, F> {
    body: F,
    /// Nothing until it ran.
    result: Option<Result<T, Fault>>,
    need: Need,
    home: Option<Home>,
    reply: oneshot::Sender<Result<T, Fault>>,
}

pub(super) type Answer<T> = oneshot::Receiver<Result<T, Fault>>;

pub(super) fn ask<T, F>(body: F, need: Need) -> (Box<dyn Job>, Answer<T>)
where
    F: Body<T>,
    T: Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Asked { body, result: None, need, home: Home::here(), reply }), answer)
}

/// What a piece of work does.
pub(super) trait Body<T>: Send + 'static {
    const REPEATABLE: bool;
    /// Nothing when it has run already and does so once only.
    fn act(&mut self, db: &mut Db) -> Option<Result<T, Fault>>;
}

pub(super) struct Once<F>(pub(super) Option<F>);

impl<T, F: FnOnce(&mut Db) -> Result<T, Fault> + Send + 'static> Body<T> for Once<F> {
    const REPEATABLE: bool = false;

    fn act(&mut self, db: &mut Db) -> Option<Result<T, Fault>> {
        let body = self.0.take()?;
        Some(contained(|| body(db)))
    }
}

pub(super) struct Repeatable<F>(pub(super) F);

impl<T, F: Fn(&mut Db) -> Result<T, Fault> + Send + 'static> Body<T> for Repeatable<F> {
    const REPEATABLE: bool = true;

    fn act(&mut self, db: &mut Db) -> Option<Result<T, Fault>> {
        Some(contained(|| (self.0)(db)))
    }
}

impl<T: Send, F: Body<T>> Job for Asked<T, F> {
    fn need(&self) -> Need {
        self.need
    }

    fn is_repeatable(&self) -> bool {
        F::REPEATABLE
    }

    fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    fn run(&mut self, db: &mut Db) -> Verdict {
        let Some(result) = self.body.act(db) else { return Verdict::Undo };
        let verdict = match &result {
            Ok(_) => Verdict::Keep,
            Err(fault) => Verdict::of(fault),
        };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>, spoiled: Option<Fault>) {
        let result = match (self.result, spoiled) {
            (Some(Err(fault)), _) | (_, Some(fault)) => Err(fault),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(Fault::broken("store", "the work was never run")),
        };
        // Who asked may have gone away; the effect stands all the same.
        let _gone = self.reply.send(result);
    }
}

/// Runs a body so that its panic is a fault of its own and of nobody else.
pub(super) fn contained<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Fault::broken("store", "the work panicked")))
}

/// First in, first out; any number of threads may take from it.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    /// Threads waiting for work; nobody is woken when all are busy.
    waiting: usize,
    closed: bool,
}

impl Queue {
    /// Work that cannot wait here is answered so.
    pub(super) fn put(&self, job: Box<dyn Job>) {
        let mut state = self.lock();
        let refused = match state.jobs.len() {
            _ if state.closed => Fault::unavailable("store", "closed"),
            waiting if waiting >= BOUND => Fault::overloaded("store", "too much work is waiting for the database"),
            _ => {
                state.jobs.push_back(job);
                let wake = state.waiting > 0;
                drop(state);
                if wake {
                    self.arrived.notify_one();
                }
                return;
            }
        };
        drop(state);
        job.answer(Some(refused));
    }

    /// Waits for work and takes up to `most` pieces of it; nothing once the queue is closed and drained.
    pub(super) fn take(&self, most: usize, group: &mut Vec<Box<dyn Job>>) {
        let mut state = self.lock();
        while state.jobs.is_empty() && !state.closed {
            state.waiting += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        let count = state.jobs.len().min(most);
        group.extend(state.jobs.drain(..count));
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// (pieces of work waiting, threads idle)
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.jobs.len(), state.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
