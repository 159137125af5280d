//! PostgreSQL: as many threads as connections, each owning one, all taking from one queue but one of them. That one keeps
//! what only adds rows, all that waits at a time (see `held`); while the disk is at it, more comes to wait.
//!
//! A connection that met trouble is dropped and made anew. One that found the server read-only or gone condemns
//! all of its age, so that no reader stays behind on a server that was demoted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::client::Cache;
use super::db::{Db, Link, READ_ONLY};
use super::home;
use super::queue::{GROUP, Job, Need, Queue, Verdict};
use super::{PoolGauge, Settings};
use crate::domain::Fault;
use crate::domain::fault::Cause;

// N-26: 2.5 s a statement. A transaction never waits on a caller, so an idle one is a fault of ours.
const SERVING: &str = "SET statement_timeout='2500ms'; SET lock_timeout='2s'; \
    SET idle_in_transaction_session_timeout='10s'; SET client_min_messages=warning";
const TENDING: &str = "SET statement_timeout=0; SET lock_timeout='30s'; SET client_min_messages=warning";

pub(super) struct Postgres {
    queue: Arc<Queue>,
    additions: Arc<Queue>,
    size: usize,
    workers: Vec<JoinHandle<()>>,
}

/// A connection that serves requests.
pub(super) fn connect(url: &str, clients: Arc<Cache>) -> Result<Db, Fault> {
    let mut db = Db::postgres(&bounded(url), SERVING, clients)?;
    durable(&mut db)?;
    Ok(db)
}

/// A connection that may take its time, for migrations.
pub(super) fn tend(url: &str) -> Result<Db, Fault> {
    Db::postgres(&bounded(url), TENDING, Arc::default())
}

impl Postgres {
    pub(super) fn open(url: &str, settings: &Settings, clients: &Arc<Cache>) -> Result<Postgres, Fault> {
        let (queue, additions) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        let age = Arc::new(AtomicU64::new(0));
        let pool = usize::try_from(settings.pool.max(1)).unwrap_or(1);
        let mut workers = Vec::new();
        for number in 0..=pool {
            let worker = Worker {
                url: url.to_owned(),
                clients: clients.clone(),
                age: age.clone(),
                born: 0,
                db: None,
                heard: this_instant(),
            };
            let thread = thread::Builder::new().name(format!("store-{number}"));
            let thread = if number < pool {
                let work = queue.clone();
                thread.spawn(move || worker.serve(&work))
            } else {
                let (work, others) = (additions.clone(), queue.clone());
                thread.spawn(move || worker.gather(&work, &others))
            };
            workers.push(thread.map_err(|error| Fault::unavailable("store", error))?);
        }
        Ok(Postgres { queue, additions, size: workers.len(), workers })
    }

    pub(super) fn put(&self, job: Box<dyn Job>) {
        match job.need() {
            Need::Addition => self.additions.put(job),
            Need::Nothing | Need::Transaction => self.queue.put(job),
        }
    }

    pub(super) fn gauge(&self) -> PoolGauge {
        let (queues, size) = ([&self.queue, &self.additions].map(|queue| queue.depth()), self.size);
        let (queued, idle) = queues.iter().fold((0, 0), |(queued, idle), depth| (queued + depth.0, idle + depth.1));
        PoolGauge { in_use: size.saturating_sub(idle), idle, size, queued }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.queue.close();
        self.additions.close();
        for worker in self.workers.drain(..).filter(|worker| worker.thread().id() != thread::current().id()) {
            let _panicked = worker.join();
        }
    }
}

struct Worker {
    url: String,
    clients: Arc<Cache>,
    /// The age of connections, raised when all older ones are condemned.
    age: Arc<AtomicU64>,
    born: u64,
    db: Option<Db>,
    /// When the connection last answered.
    heard: Instant,
}

/// F-11: a connection that was silent for longer is asked whether it still lives before what cannot be tried again.
const QUIET: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "how long a connection was silent decides nothing else")]
fn this_instant() -> Instant {
    Instant::now()
}

impl Worker {
    fn serve(mut self, queue: &Queue) {
        let mut group = Vec::with_capacity(1);
        loop {
            queue.take(1, &mut group);
            let Some(mut job) = group.pop() else { return };
            let spoiled = match job.need() {
                Need::Transaction | Need::Addition => self.write(job.as_mut()),
                Need::Nothing => self.run(job.as_mut()),
            };
            self.heard = this_instant();
            job.answer(spoiled.err());
        }
    }

    /// `others`: where whoever cannot be kept with the rest is served; more than one at a time, and nobody waits for it here.
    fn gather(mut self, additions: &Queue, others: &Queue) {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            additions.take(GROUP, &mut group);
            if group.is_empty() {
                return;
            }
            match self.together(&mut group) {
                Ok(true) => home::send(group.drain(..).map(|job| (job, None))),
                Ok(false) => group.drain(..).for_each(|job| others.put(job)),
                Err(fault) => {
                    let spoiled = || Some(Fault::unavailable("store", &fault.detail));
                    home::send(group.drain(..).map(|job| (job, spoiled())));
                }
            }
            self.heard = this_instant();
        }
    }

    /// Keeps all of a group at once. False, and nothing done, when one of it fails: then each is to be asked by itself.
    /// A fault is everybody's; what became of the group is not known then.
    fn together(&mut self, group: &mut [Box<dyn Job>]) -> Result<bool, Fault> {
        let mut verdict = self.hold(group)?;
        // One that died just now is found out by what is read first, before anything happened: try a new one.
        if matches!(verdict, Verdict::Discard | Verdict::DiscardAll) {
            verdict = self.hold(group)?;
        }
        Ok(verdict == Verdict::Keep)
    }

    /// Runs a group up to the first that fails, its rows held, and adds them when none does.
    fn hold(&mut self, group: &mut [Box<dyn Job>]) -> Result<Verdict, Fault> {
        let db = self.awake()?;
        db.hold();
        let failed = group.iter_mut().map(|job| job.run(db)).find(|verdict| *verdict != Verdict::Keep);
        let settled = if failed.is_none() { db.settle() } else { Ok(()) };
        let verdict = failed.or(settled.as_ref().err().map(Verdict::of));
        let Some(verdict) = verdict else { return Ok(Verdict::Keep) };
        let clean = db.let_go().is_ok() && db.is_clean();
        self.judge(verdict, clean);
        match settled {
            // Somebody was there first with what counts once, and the statement had no effect.
            Err(fault) if fault.cause != Cause::Broken => Err(fault),
            _ => Ok(verdict),
        }
    }

    fn write(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        // A connection that died unnoticed is found out by BEGIN, before anything happened: try a new one.
        if self.connection().and_then(Db::begin).is_err() {
            self.db = None;
            self.connection()?.begin()?;
        }
        let db = self.connection()?;
        let verdict = job.run(db);
        let settled = if verdict == Verdict::Keep { db.commit() } else { db.roll_back_to(0) };
        let clean = db.is_clean();
        self.judge(verdict, clean && settled.is_ok());
        // The job has its own fault to tell; only a failed commit is news.
        if verdict == Verdict::Keep { settled } else { Ok(()) }
    }

    /// Without a transaction around it: a statement that fails has no effect.
    fn run(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        let db = self.awake()?;
        let verdict = job.run(db);
        let clean = db.is_clean();
        self.judge(verdict, clean);
        Ok(())
    }

    fn judge(&mut self, verdict: Verdict, clean: bool) {
        if verdict == Verdict::DiscardAll {
            // Only the first to notice raises it; the others of that age compare unequal already.
            let _raced = self.age.compare_exchange(self.born, self.born + 1, Ordering::SeqCst, Ordering::SeqCst);
        }
        if !clean || matches!(verdict, Verdict::Discard | Verdict::DiscardAll) {
            self.db = None;
        }
    }

    /// A connection that was not silent for long, or lives all the same.
    fn awake(&mut self) -> Result<&mut Db, Fault> {
        if self.heard.elapsed() > QUIET && self.connection().and_then(Db::ping).is_err() {
            self.db = None;
        }
        self.connection()
    }

    fn connection(&mut self) -> Result<&mut Db, Fault> {
        let age = self.age.load(Ordering::SeqCst);
        if self.born != age {
            self.db = None;
        }
        if self.db.is_none() {
            self.db = Some(connect(&self.url, self.clients.clone())?);
            self.born = age;
        }
        self.db.as_mut().ok_or_else(|| Fault::broken("store", "no connection"))
    }
}

/// Waits of the driver are bounded too, unless the URL says otherwise.
fn bounded(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return url.to_owned() };
    for (name, value) in [("connect_timeout", "3"), ("tcp_user_timeout", "5000"), ("application_name", "idp")] {
        if !parsed.query_pairs().any(|(known, _)| known == name) {
            parsed.query_pairs_mut().append_pair(name, value);
        }
    }
    parsed.into()
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Recovery {
    #[diesel(sql_type = Bool)]
    standby: bool,
}

/// F-18: an acknowledged commit must be on disk.
fn durable(db: &mut Db) -> Result<(), Fault> {
    let value = setting(db, "synchronous_commit")?;
    match value.as_str() {
        "on" | "remote_apply" => Ok(()),
        other => Err(Fault::unavailable("store", format!("synchronous_commit is {other}; it must be on"))),
    }
}

fn setting(db: &mut Db, name: &str) -> Result<String, Fault> {
    let Link::Postgres(link) = &mut db.link else { return Err(Fault::broken("store", "not PostgreSQL")) };
    let query = diesel::sql_query("SELECT current_setting($1) AS value").bind::<Text, _>(name);
    Ok(query.get_result::<Setting>(link.as_mut())?.value)
}

/// F-12: a server that was demoted still answers reads; it must not count as ready.
pub(super) fn ready(db: &mut Db) -> Result<(), Fault> {
    let Link::Postgres(link) = &mut db.link else { return Ok(()) };
    let query = diesel::sql_query("SELECT pg_is_in_recovery() AS standby");
    let standby = query.get_result::<Recovery>(link.as_mut())?.standby;
    if standby || setting(db, "transaction_read_only")? == "on" {
        return Err(Fault::unavailable("store", format!("{READ_ONLY}: the server takes no writes")));
    }
    Ok(())
}
