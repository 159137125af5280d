//! SQLite: one thread owns the only writing connection and commits in groups; reads happen where they are asked for.
//!
//! Every durable commit costs the disk one flush, whoever shares it. So the writer takes all that waits, up to a
//! bound, runs it in one transaction, commits once, and only then answers. A piece of work that fails or panics takes
//! back its own effect and nobody else's: by a savepoint of its own, or, where all can be run again, by starting over.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::client::Cache;
use super::db::Db;
use super::home;
use super::queue::{GROUP, Job, Queue, Verdict, contained};
use super::{PoolGauge, Settings};
use crate::domain::Fault;

// `synchronous=FULL`: in WAL mode anything less may lose the last commits with the power, and a lost spend of a
// code is a replay.
const WRITER: &str = "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; \
    PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=2000;";
const READER: &str = "PRAGMA busy_timeout=1000; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; \
    PRAGMA cache_size=-2000;";

pub(super) struct Sqlite {
    path: PathBuf,
    queue: Arc<Queue>,
    busy: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
    seats: Vec<Mutex<Db>>,
    turn: AtomicUsize,
    reading: AtomicUsize,
    /// Held locked while this process serves the file.
    claim: Mutex<Option<File>>,
}

/// `sqlite:PATH`. The file is made, readable by its owner alone, when it is not there.
pub(super) fn connect(path: &Path, clients: Arc<Cache>) -> Result<Db, Fault> {
    // Never opened when it is there: closing it would give up the locks this process's other connections hold on it.
    match OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Fault::unavailable("store", format!("{}: {error}", path.display())));
        }
        _ => {}
    }
    Db::sqlite(path, WRITER, clients)
}

impl Sqlite {
    pub(super) fn open(path: &Path, settings: &Settings, clients: Arc<Cache>) -> Result<Sqlite, Fault> {
        let mut writer = Writer { path: path.to_owned(), clients: clients.clone(), db: None };
        writer.connection()?;
        let queue = Arc::new(Queue::default());
        let busy = Arc::new(AtomicBool::new(false));
        let (work, mark) = (queue.clone(), busy.clone());
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.serve(&work, &mark))
            .map_err(|error| Fault::unavailable("store", error))?;
        let mut seats = Vec::new();
        for _ in 0..settings.pool.max(1) {
            seats.push(Mutex::new(Db::sqlite(path, READER, clients.clone())?));
        }
        Ok(Sqlite {
            path: path.to_owned(),
            queue,
            busy,
            writer: Some(thread),
            seats,
            turn: AtomicUsize::new(0),
            reading: AtomicUsize::new(0),
            claim: Mutex::new(None),
        })
    }

    pub(super) fn put(&self, job: Box<dyn Job>) {
        self.queue.put(job);
    }

    /// On the calling thread: a lookup takes less time than handing it to another. Within one transaction, so that
    /// every statement sees the same state and the file is locked once.
    pub(super) fn read<T>(&self, body: impl FnOnce(&mut Db) -> Result<T, Fault>) -> Result<T, Fault> {
        self.reading.fetch_add(1, Ordering::Relaxed);
        let result = self.seated(|db| contained(|| db.look(body)));
        self.reading.fetch_sub(1, Ordering::Relaxed);
        result
    }

    fn seated<T>(&self, body: impl FnOnce(&mut Db) -> Result<T, Fault>) -> Result<T, Fault> {
        // The first free seat, so that under little load one connection's caches stay warm.
        if let Some(mut db) = self.seats.iter().find_map(|seat| seat.try_lock().ok()) {
            return body(&mut db);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(self.seats.len()).unwrap_or(0);
        let seat = self.seats.get(turn).ok_or_else(|| Fault::broken("store", "no connection to read with"))?;
        body(&mut seat.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// F-20: a second server would count its own throttles and caches; the command line beside one is fine.
    pub(super) fn claim(&self) -> Result<(), Fault> {
        let mut path = self.path.clone().into_os_string();
        path.push(".server");
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|error| Fault::unavailable("store", format!("{}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {
                *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => {
                Err(Fault::unavailable("store", format!("another server runs on {}", self.path.display())))
            }
            Err(TryLockError::Error(error)) => Err(Fault::unavailable("store", error)),
        }
    }

    pub(super) fn gauge(&self) -> PoolGauge {
        let size = self.seats.len() + 1;
        let reading = self.reading.load(Ordering::Relaxed).min(self.seats.len());
        let in_use = reading + usize::from(self.busy.load(Ordering::Relaxed));
        PoolGauge { in_use, idle: size - in_use, size, queued: self.queue.depth().0 }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queue.close();
        // The last handle may be dropped by a piece of work, on the writer itself.
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != thread::current().id()
        {
            let _panicked = writer.join();
        }
    }
}

struct Writer {
    path: PathBuf,
    clients: Arc<Cache>,
    /// Absent after a transaction that could not be put right; made anew for the next group.
    db: Option<Db>,
}

impl Writer {
    fn serve(mut self, queue: &Queue, busy: &AtomicBool) {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            // Whoever was just answered and is about to ask again comes first: more then share the next commit.
            thread::yield_now();
            queue.take(GROUP, &mut group);
            if group.is_empty() {
                return;
            }
            busy.store(true, Ordering::Relaxed);
            let outcome = self.commit(&mut group);
            if outcome.is_err() {
                self.db = None;
            }
            let detail = outcome.err().map(|fault| fault.detail);
            let spoiled = || detail.as_ref().map(|detail| Fault::unavailable("store", detail));
            home::send(group.drain(..).map(|job| (job, spoiled())));
            busy.store(false, Ordering::Relaxed);
        }
    }

    /// Runs a group in one transaction. A fault here is everybody's: nothing was kept.
    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        let db = self.connection()?;
        if group.len() > 1 && group.iter().all(|job| job.is_repeatable()) && together(group, db)? {
            return Ok(());
        }
        apart(group, db)
    }

    fn connection(&mut self) -> Result<&mut Db, Fault> {
        if self.db.is_none() {
            self.db = Some(connect(&self.path, self.clients.clone())?);
        }
        self.db.as_mut().ok_or_else(|| Fault::broken("store", "no connection to write with"))
    }
}

/// Almost always all goes well, and then savepoints, each of which copies every page its piece of work touches, were made
/// for nothing. False, and nothing done, when one of the group fails.
fn together(group: &mut [Box<dyn Job>], db: &mut Db) -> Result<bool, Fault> {
    db.begin()?;
    let kept = group.iter_mut().all(|job| job.run(db) == Verdict::Keep);
    if kept {
        db.commit()?
    } else {
        db.roll_back_to(0)?
    }
    Ok(kept)
}

/// Each piece of work in a savepoint of its own; alone it needs none, since taking it back takes back everything.
fn apart(group: &mut [Box<dyn Job>], db: &mut Db) -> Result<(), Fault> {
    db.begin()?;
    let keep = |verdict: &Verdict| *verdict == Verdict::Keep;
    let (mut kept, alone) = (false, group.len() == 1);
    for job in group.iter_mut() {
        let verdict = if alone { job.run(db) } else { db.piece(|db| job.run(db), keep)? };
        kept |= keep(&verdict);
    }
    if kept { db.commit() } else { db.roll_back_to(0) }
}
