//! Passwords: Argon2id in a pool of its own, bounded so that a flood of sign-ins cannot take the machine
//! (`security.md` N-11, N-12, RX-05).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::oneshot;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::aside::{Aside, stand_back};
use crate::domain::Fault;
use crate::random::Random;

pub mod rules;

const ROOM: &str = "factor";

/// More bytes than any person types; longer ones are refused before anything is computed (LG-07).
pub const LONGEST: usize = 1024;

// N-11: the second of the two parameter sets.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What an unknown account is checked against, so that the answer takes as long as a wrong password. Nothing hashes to it on
/// purpose, and a match would still be no. Its salt is as fresh as an account's is its own: which memory a hash walks
/// through, and so how long it takes, is up to salt and password (LG-01).
fn stand_in(salt: &[u8; 16]) -> Result<String, Fault> {
    let salt = SaltString::encode_b64(salt).map_err(|error| broken(&error.to_string()))?;
    Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
}

fn broken(what: &str) -> Fault {
    Fault::broken(ROOM, format!("password hash: {what}"))
}

/// A caller never waits longer than this for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How long a hash may wait for a processor nobody else wants: it takes a scheduler's turn many times over, and whatever
/// else the server has to do takes a small part of one (`security.md` RX-05). Then it takes turns, standing back by `nice`, so
/// that it is done in the end.
const PATIENCE: Duration = Duration::from_millis(500);

/// What one hash is believed to cost until the first is measured.
const FIRST_GUESS: Duration = Duration::from_millis(50);

/// Whether a password has a length we take at all.
pub fn is_acceptable(password: &str) -> bool {
    (1..=LONGEST).contains(&password.len())
}

/// Threads for a machine: one core stays free for everything else.
pub fn threads_for(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

/// How busy the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub waiting: usize,
    pub running: usize,
}

/// The pool. Cheap to clone; its threads end with the last clone.
#[derive(Clone)]
pub struct Hasher(Arc<Pool>);

struct Pool {
    shared: Arc<Shared>,
    threads: u32,
    pepper: Zeroizing<Vec<u8>>,
    random: Arc<dyn Random>,
}

struct Shared {
    line: Mutex<Line>,
    arrived: Condvar,
}

struct Line {
    jobs: VecDeque<Job>,
    running: usize,
    /// Moving average of one hash.
    cost: Duration,
    closed: bool,
}

struct Job {
    task: Task,
    reply: oneshot::Sender<Result<Outcome, Fault>>,
}

#[derive(Clone)]
struct Task {
    /// The password, normalised and peppered.
    key: Zeroizing<[u8; 32]>,
    work: Work,
}

#[derive(Clone)]
enum Work {
    Hash { salt: [u8; 16] },
    Verify { against: String },
}

enum Outcome {
    Hashed(String),
    Verified(bool),
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.line().closed = true;
        self.shared.arrived.notify_all();
    }
}

impl Hasher {
    pub fn new(threads: usize, pepper: &[u8], random: Arc<dyn Random>) -> Result<Hasher, Fault> {
        let threads = threads.max(1);
        let line = Line { jobs: VecDeque::new(), running: 0, cost: FIRST_GUESS, closed: false };
        let shared = Arc::new(Shared { line: Mutex::new(line), arrived: Condvar::new() });
        let pool = Pool {
            shared: Arc::clone(&shared),
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
            pepper: Zeroizing::new(pepper.to_vec()),
            random,
        };
        for _ in 0..threads {
            let shared = Arc::clone(&shared);
            let aside = Aside::new("password-aside", |task: Task| task.perform())?;
            let named = std::thread::Builder::new().name("password".to_owned());
            named.spawn(move || shared.work(aside)).map_err(|error| Fault::unavailable(ROOM, error))?;
        }
        Ok(Hasher(Arc::new(pool)))
    }

    /// A PHC string to store. Only for an acceptable password.
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        if !is_acceptable(password) {
            return Err(Fault::broken(ROOM, "a password of a length that was to be refused before"));
        }
        match self.0.run(password, Work::Hash { salt: self.salt()? }).await? {
            Outcome::Hashed(phc) => Ok(phc),
            Outcome::Verified(_) => Err(Fault::broken(ROOM, "another job's answer")),
        }
    }

    fn salt(&self) -> Result<[u8; 16], Fault> {
        let mut salt = [0; 16];
        self.0.random.fill(&mut salt)?;
        Ok(salt)
    }

    /// Whether the password is the stored one. `None`, for an account that does not exist or has no password,
    /// costs the same and is never right.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, Fault> {
        if !is_acceptable(password) {
            return Ok(false);
        }
        let against = match stored {
            Some(stored) => stored.to_owned(),
            None => stand_in(&self.salt()?)?,
        };
        match self.0.run(password, Work::Verify { against }).await? {
            Outcome::Verified(right) => Ok(right && stored.is_some()),
            Outcome::Hashed(_) => Err(Fault::broken(ROOM, "another job's answer")),
        }
    }

    /// Whether another password would find its turn in time. Asked before anything else is done for a password, so that a
    /// flood of them costs next to nothing; `hash` and `verify` ask again.
    pub fn room(&self) -> Result<(), Fault> {
        self.0.shared.line().room(self.0.threads)
    }

    pub fn queue(&self) -> Queue {
        let line = self.0.shared.line();
        Queue { waiting: line.jobs.len(), running: line.running }
    }
}

impl Pool {
    async fn run(&self, password: &str, work: Work) -> Result<Outcome, Fault> {
        let (reply, answer) = oneshot::channel();
        let job = Job { task: Task { key: self.peppered(password)?, work }, reply };
        {
            let mut line = self.shared.line();
            line.room(self.threads)?;
            line.jobs.push_back(job);
        }
        self.shared.arrived.notify_one();
        answer.await.map_err(|_| Fault::unavailable(ROOM, "the password pool is gone"))?
    }

    /// NFC first, so that one password typed on two keyboards is one; then the pepper, so that hashes out of a
    /// stolen database cannot be guessed at.
    fn peppered(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
        let normal: Zeroizing<String> = Zeroizing::new(password.nfc().collect());
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.pepper).map_err(|error| Fault::broken(ROOM, error))?;
        mac.update(normal.as_bytes());
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

impl Line {
    fn room(&mut self, threads: u32) -> Result<(), Fault> {
        // Whoever hung up waits no more.
        self.jobs.retain(|job| !job.reply.is_closed());
        let waiting = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        if self.cost.saturating_mul(waiting) / threads > LONGEST_WAIT {
            return Err(Fault::overloaded(ROOM, format!("{waiting} password hashes wait")));
        }
        Ok(())
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of one thread.
    #[expect(clippy::disallowed_methods, reason = "the length of a hash bounds the queue; it decides nothing else")]
    fn work(&self, mut aside: Aside<Task, Result<Outcome, Fault>>) {
        stand_back();
        while let Some(Job { task, reply }) = self.next() {
            // Whoever hung up needs no answer.
            if reply.is_closed() {
                self.line().running -= 1;
                continue;
            }
            let begun = Instant::now();
            let outcome = aside.ask(task.clone(), PATIENCE).unwrap_or_else(|| task.perform());
            let took = begun.elapsed();
            let mut line = self.line();
            line.cost = (line.cost * 7 + took) / 8;
            line.running -= 1;
            drop(line);
            // The caller may have gone meanwhile.
            let _ = reply.send(outcome);
        }
    }

    /// Sleeps until there is a job; `None` when the pool is closed.
    fn next(&self) -> Option<Job> {
        let mut line = self.line();
        loop {
            if let Some(job) = line.jobs.pop_front() {
                line.running += 1;
                return Some(job);
            }
            if line.closed {
                return None;
            }
            line = self.arrived.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Task {
    fn perform(&self) -> Result<Outcome, Fault> {
        let key = self.key.as_slice();
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| broken(&error.to_string()))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        match &self.work {
            Work::Hash { salt } => {
                let salt = SaltString::encode_b64(salt).map_err(|error| broken(&error.to_string()))?;
                let phc = argon.hash_password(key, &salt).map_err(|error| broken(&error.to_string()))?;
                Ok(Outcome::Hashed(phc.to_string()))
            }
            Work::Verify { against } => {
                let stored = PasswordHash::new(against).map_err(|error| broken(&error.to_string()))?;
                match argon.verify_password(key, &stored) {
                    Ok(()) => Ok(Outcome::Verified(true)),
                    Err(argon2::password_hash::Error::Password) => Ok(Outcome::Verified(false)),
                    Err(error) => Err(broken(&error.to_string())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Cause;
    use crate::random::SeededRandom;

    fn hasher(pepper: &[u8]) -> Hasher {
        Hasher::new(1, pepper, Arc::new(SeededRandom::new(1))).unwrap()
    }

    #[tokio::test]
    async fn verifies_what_it_hashed_and_nothing_else() {
        let hasher = hasher(b"pepper");
        let stored = hasher.hash("VNeID#2026").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hasher.hash("VNeID#2026").await.unwrap(), "a salt of its own");
        assert!(hasher.verify("VNeID#2026", Some(&stored)).await.unwrap());
        for wrong in ["", "VNeID#2026 ", "vneid#2026", "VNeID#2026\0"] {
            assert!(!hasher.verify(wrong, Some(&stored)).await.unwrap(), "{wrong:?}");
        }
        assert!(!hasher.verify("VNeID#2026", None).await.unwrap());
        let other = self::hasher(b"another pepper");
        assert!(!other.verify("VNeID#2026", Some(&stored)).await.unwrap());
        assert_eq!(hasher.verify("x", Some("not a hash")).await.unwrap_err().cause, Cause::Broken);
    }

    #[tokio::test]
    async fn lg_07_lengths_and_forms() {
        let hasher = hasher(b"pepper");
        for (password, acceptable) in
            [("", false), ("a", true), (&"a".repeat(64), true), (&"a".repeat(1024), true), (&"a".repeat(1025), false)]
        {
            assert_eq!(is_acceptable(password), acceptable, "{}", password.len());
        }
        assert!(hasher.hash(&"a".repeat(4097)).await.is_err());
        let stored = hasher.hash("Ti\u{ea}\u{301}ng Việt 🔑\0x ").await.unwrap();
        assert!(hasher.verify("Tiếng Việt 🔑\0x ", Some(&stored)).await.unwrap(), "NFC and NFD are one");
        assert!(!hasher.verify("Tiếng Việt 🔑\0y ", Some(&stored)).await.unwrap(), "bytes after NUL count");
        assert!(!hasher.verify("Tiếng Việt 🔑\0x", Some(&stored)).await.unwrap(), "a trailing space counts");
    }

    #[tokio::test]
    async fn rx_05_a_flood_is_refused_at_once_and_the_rest_is_answered() {
        let hasher = hasher(b"pepper");
        let flood: Vec<_> = (0..200).map(|_| hasher.verify("guess", None)).collect();
        let answers = futures_util::future::join_all(flood).await;
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        assert!(refused > 100 && refused < 200, "{refused} of 200");
        assert!(answers.iter().flatten().all(|right| !right));
        assert!(
            answers.iter().filter_map(|answer| answer.as_ref().err()).all(|fault| fault.cause == Cause::Overloaded)
        );
        assert_eq!(hasher.queue(), Queue { waiting: 0, running: 0 });
    }

    #[tokio::test]
    async fn a_caller_that_hung_up_costs_nothing() {
        let hasher = hasher(b"pepper");
        let stored = hasher.hash("x").await.unwrap();
        for _ in 0..10 {
            let gone = hasher.verify("guess", Some(&stored));
            drop(tokio::time::timeout(Duration::ZERO, gone).await);
        }
        assert!(hasher.verify("x", Some(&stored)).await.unwrap());
    }

    /// The field `nice` of a thread's `stat` (proc(5)), by what stands behind its name.
    #[cfg(target_os = "linux")]
    fn nice_of(stat: &str) -> i32 {
        stat.rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn rx_05_hashing_stands_back_and_nothing_else_does() {
        let hasher = hasher(b"pepper");
        hasher.hash("x").await.unwrap();
        let own = nice_of(&std::fs::read_to_string("/proc/thread-self/stat").unwrap());
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        let stats = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok());
        let password = |stat: &String| stat.contains("(password)");
        let theirs: Vec<i32> = stats.filter(password).map(|stat| nice_of(&stat)).collect();
        // Pools of other tests may be opening just now.
        assert!(theirs.contains(&(own + crate::factor::aside::STANDS_BACK).min(19)), "{theirs:?} {own}");
    }

    #[test]
    fn n_12_one_core_stays_free() {
        for (cores, threads) in [(0, 1), (1, 1), (2, 1), (4, 3)] {
            assert_eq!(threads_for(cores), threads);
        }
    }

    #[tokio::test]
    async fn lg_01_a_number_nobody_has_is_checked_against_something_of_the_same_make_each_time_another() {
        let real = hasher(b"pepper").hash("VNeID#2026").await.unwrap();
        let (one, other) = (stand_in(&[1; 16]).unwrap(), stand_in(&[2; 16]).unwrap());
        let make = |phc: &str| {
            let parsed = PasswordHash::new(phc).unwrap();
            let lengths = (parsed.salt.unwrap().len(), parsed.hash.unwrap().len());
            (parsed.algorithm.to_string(), parsed.version, parsed.params.to_string(), lengths)
        };
        assert_eq!(make(&one), make(&real));
        assert!(one != other && make(&other) == make(&real));
    }
}
