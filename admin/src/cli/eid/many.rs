//! `admin eid lock-all`: an incident's many, several at a time (`security.md` LK-19). Each is an order of its own, so that
//! what was acknowledged holds whatever becomes of the rest, and the file can be given again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use idp::domain::PersonNumber;
use idp::domain::eid::{LockGround, LockOrder, Turned};
use idp::flow::eid_lock;
use idp::flow::operator::Verdict;
use idp::idp::Idp;
use tokio::task::JoinSet;

use super::super::{Told, failed, person_number, read_file};
use super::ground;

/// Orders under way at once. The store takes them one after the other where it must; single ones come between.
const AT_ONCE: usize = 8;
/// Lines named in the end; more are counted.
const NAMED: usize = 20;

#[derive(Args)]
pub struct Many {
    /// One person number a line; `-` is standard input. A malformed line stops all of it before anything is locked.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// As for `lock`.
    #[arg(long, value_parser = ground, value_name = "a|b|c|d|đ")]
    ground: LockGround,
    /// Who decided, and by which document.
    #[arg(long, value_name = "TEXT")]
    authority: String,
}

#[derive(Default)]
struct Ended {
    locked: usize,
    before: usize,
    /// By line.
    refused: Vec<(usize, String)>,
}

impl Many {
    pub async fn carry_out(self, idp: &Arc<Idp>) -> Told {
        let order = LockOrder::official(self.ground, self.authority).ok_or("--authority must name who decided")?;
        let numbers = Arc::new(numbers(&read_file(&self.file)?)?);
        let taken = Arc::new(AtomicUsize::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..AT_ONCE {
            callers.spawn(some(Arc::clone(&numbers), Arc::clone(&taken), order.clone(), Arc::clone(idp)));
        }
        let mut all = Ended::default();
        while let Some(ended) = callers.join_next().await {
            let one = ended.map_err(|error| error.to_string())?;
            all.locked += one.locked;
            all.before += one.before;
            all.refused.extend(one.refused);
        }
        told(all)
    }
}

fn numbers(text: &str) -> Result<Vec<(usize, PersonNumber)>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(count, line)| {
            let number = person_number(line.trim()).map_err(|reason| format!("line {}: {reason}", count + 1))?;
            Ok((count + 1, number))
        })
        .collect()
}

/// One caller: takes the next line until none is left.
async fn some(
    numbers: Arc<Vec<(usize, PersonNumber)>>,
    taken: Arc<AtomicUsize>,
    order: LockOrder,
    idp: Arc<Idp>,
) -> Ended {
    let mut ended = Ended::default();
    while let Some((line, number)) = numbers.get(taken.fetch_add(1, Ordering::Relaxed)) {
        match eid_lock::lock(number, order.clone(), &idp).await {
            Ok(Verdict::Done(locked)) if locked.turned == Turned::Changed => ended.locked += 1,
            Ok(Verdict::Done(_)) => ended.before += 1,
            Ok(Verdict::Refused(reason)) => ended.refused.push((*line, reason)),
            Err(fault) => ended.refused.push((*line, failed(fault))),
        }
    }
    ended
}

fn told(mut all: Ended) -> Told {
    let done = format!("locked {}, {} were locked on this ground before", all.locked, all.before);
    if all.refused.is_empty() {
        return Ok(done);
    }
    all.refused.sort();
    let named: Vec<String> =
        all.refused.iter().take(NAMED).map(|(line, reason)| format!("line {line}: {reason}")).collect();
    let more = all.refused.len() - named.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Err(format!("{done}; {} not locked: {}{more}", all.refused.len(), named.join("; ")))
}
