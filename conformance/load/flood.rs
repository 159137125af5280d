//! Sends whole requests at a rate, or as fast as they are answered, and tells what came back and how late, apart for each
//! kind of answer. `wrk` tells one latency for all of them, and here it is the refusals that count.
//!
//!   flood <SPEC.json        streams to run side by side; prints what became of each, as JSON
//!
//! In an open stream (`rate`) a request is due at its time whether the one before was answered or not, and waits for a
//! connection on its own account. In a closed one each connection sends its next when it has its answer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
struct Spec {
    address: SocketAddr,
    seconds: f64,
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
    /// A second; absent in a closed stream.
    rate: Option<f64>,
    connections: usize,
    /// Taken in turn.
    requests: Vec<String>,
    /// What is replaced in each of them by a number as wide, which no other request has.
    #[serde(default)]
    vary: String,
    #[serde(default)]
    first: u64,
    answers: Vec<Kind>,
}

/// A kind of answer: its status, and words that are in it, in lower case.
#[derive(Deserialize)]
struct Kind {
    name: String,
    status: u16,
    #[serde(default)]
    has: Vec<String>,
}

/// What a stream came to.
#[derive(Default)]
struct Tally {
    sent: u64,
    took: BTreeMap<String, Vec<Duration>>,
    /// Answers of each kind while requests were still being sent: what waits in a queue at the end is no part of a rate.
    in_time: BTreeMap<String, u64>,
    first_bad: Option<String>,
}

/// A stream under way.
struct Running {
    stream: Stream,
    address: SocketAddr,
    end: Instant,
    idle: RefCell<Vec<TcpStream>>,
    tally: RefCell<Tally>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let spec: Spec = serde_json::from_reader(std::io::stdin().lock())?;
    let (address, length) = (spec.address, Duration::from_secs_f64(spec.seconds));
    LocalSet::new()
        .run_until(async move {
            let begun = Instant::now();
            let mut all = JoinSet::new();
            let mut streams = Vec::new();
            for stream in spec.streams {
                let running = Rc::new(Running {
                    stream,
                    address,
                    end: begun + length,
                    idle: RefCell::default(),
                    tally: RefCell::default(),
                });
                streams.push(Rc::clone(&running));
                match running.stream.rate {
                    Some(rate) => all.spawn_local(running.open(rate, begun, length)),
                    None => all.spawn_local(running.closed()),
                };
            }
            all.join_all().await;
            let told: serde_json::Map<String, Value> =
                streams.iter().map(|running| (running.stream.name.clone(), running.told(length))).collect();
            println!("{}", Value::Object(told));
        })
        .await;
    Ok(())
}

impl Running {
    async fn open(self: Rc<Self>, rate: f64, begun: Instant, length: Duration) {
        let room = Rc::new(Semaphore::new(self.stream.connections));
        let mut under_way = JoinSet::new();
        for n in 0_u32.. {
            let due = Duration::from_secs_f64(f64::from(n) / rate);
            if due >= length {
                break;
            }
            tokio::time::sleep_until((begun + due).into()).await;
            let (this, room) = (Rc::clone(&self), Rc::clone(&room));
            under_way.spawn_local(async move {
                let sent = Instant::now();
                let Ok(_place) = room.acquire().await else { return };
                this.one(sent).await;
            });
        }
        under_way.join_all().await;
    }

    async fn closed(self: Rc<Self>) {
        let mut under_way = JoinSet::new();
        for _ in 0..self.stream.connections {
            let this = Rc::clone(&self);
            under_way.spawn_local(async move {
                while Instant::now() < this.end {
                    this.one(Instant::now()).await;
                }
            });
        }
        under_way.join_all().await;
    }

    /// One request and its answer, counted.
    async fn one(&self, sent: Instant) {
        let request = self.next();
        let idle = self.idle.borrow_mut().pop();
        let answer = match idle {
            Some(connection) => exchange(connection, request.as_bytes()).await,
            None => match TcpStream::connect(self.address).await {
                Ok(connection) => exchange(connection, request.as_bytes()).await,
                Err(error) => Err(error.into()),
            },
        };
        let took = sent.elapsed();
        let mut tally = self.tally.borrow_mut();
        let (kind, bad) = match answer {
            Ok((text, connection)) => {
                if let Some(connection) = connection {
                    self.idle.borrow_mut().push(connection);
                }
                match self.stream.answers.iter().find(|kind| kind.is(&text)) {
                    Some(kind) => (kind.name.as_str(), None),
                    None => ("other", Some(text.chars().take(400).collect())),
                }
            }
            Err(error) => ("lost", Some(error.to_string())),
        };
        tally.took.entry(kind.to_owned()).or_default().push(took);
        *tally.in_time.entry(kind.to_owned()).or_default() += u64::from(sent + took <= self.end);
        tally.first_bad = tally.first_bad.take().or(bad);
    }

    fn next(&self) -> String {
        let mut tally = self.tally.borrow_mut();
        let (n, requests) = (tally.sent, &self.stream.requests);
        tally.sent += 1;
        let turn = usize::try_from(n).unwrap_or(0).checked_rem(requests.len()).unwrap_or(0);
        let request = requests.get(turn).map(String::as_str).unwrap_or_default();
        match self.stream.vary.as_str() {
            "" => request.to_owned(),
            vary => request.replace(vary, &format!("{:0width$}", self.stream.first + n, width = vary.len())),
        }
    }

    fn told(&self, length: Duration) -> Value {
        let tally = self.tally.borrow();
        let answers: serde_json::Map<String, Value> = tally
            .took
            .iter()
            .map(|(kind, took)| {
                let mut took = took.clone();
                took.sort_unstable();
                let figures = json!({
                    "count": took.len(), "in_time": tally.in_time.get(kind), "p50_ms": at(&took, 50), "p99_ms": at(&took, 99), "max_ms": at(&took, 100),
                });
                (kind.clone(), figures)
            })
            .collect();
        json!({"seconds": length.as_secs_f64(), "sent": tally.sent, "answers": answers, "first_bad": tally.first_bad})
    }
}

impl Kind {
    fn is(&self, answer: &str) -> bool {
        status(answer) == Some(self.status) && self.has.iter().all(|words| answer.contains(words.as_str()))
    }
}

fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

/// The value no more than so many of a hundred lie beyond, in milliseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or(0.0, |took| took.as_secs_f64() * 1000.0)
}

/// The whole answer in lower case, and the connection where it can be used again.
async fn exchange(connection: TcpStream, request: &[u8]) -> Outcome<(String, Option<TcpStream>)> {
    let mut rest = request;
    while !rest.is_empty() {
        connection.writable().await?;
        match connection.try_write(rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (mut got, mut piece, mut length) = (Vec::with_capacity(16 * 1024), [0; 16 * 1024], None);
    loop {
        connection.readable().await?;
        match connection.try_read(&mut piece) {
            Ok(0) => return Err("the connection ended before the answer".into()),
            Ok(read) => got.extend_from_slice(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        length = length.or_else(|| whole(&got));
        if length.is_some_and(|length| got.len() >= length) {
            let text = String::from_utf8_lossy(&got).to_lowercase();
            let stays = !text.contains("\r\nconnection: close");
            return Ok((text, stays.then_some(connection)));
        }
    }
}

/// How long the answer is with its head, once the head is there.
fn whole(got: &[u8]) -> Option<usize> {
    let head = got.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(got.get(..head)?).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some(head + length.trim().parse::<usize>().ok()?)
}
