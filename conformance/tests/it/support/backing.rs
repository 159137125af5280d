//! Where a sandbox keeps its data: a SQLite file under its own directory, or a fresh PostgreSQL database and a
//! Redis number of its own.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::port;
use super::sandbox::{Ended, spawn};

static REDIS_NUMBER: AtomicU32 = AtomicU32::new(1);

#[derive(Clone, Debug)]
pub enum Backing {
    Embedded,
    Servers { database: String, redis: String },
}

impl Backing {
    /// The backing the environment chose, empty.
    pub fn fresh() -> Backing {
        let Ok(base) = std::env::var("SUITE_DATABASE_URL") else { return Backing::Embedded };
        let redis = std::env::var("SUITE_REDIS_URL").expect("SUITE_REDIS_URL goes with SUITE_DATABASE_URL");
        let name = format!("suite_{}_{}", std::process::id(), super::next());
        let made = Command::new("psql")
            .args([&base, "-qc", &format!("CREATE DATABASE {name}")])
            .output()
            .expect("psql is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut database = url::Url::parse(&base).expect("SUITE_DATABASE_URL is a URL");
        database.set_path(&name);
        let number = REDIS_NUMBER.fetch_add(1, Ordering::Relaxed);
        Backing::Servers { database: database.into(), redis: format!("{}/{number}", redis.trim_end_matches('/')) }
    }

    /// Servers, with a Redis nobody else uses, which the test may end; `None` on the embedded store.
    pub fn with_own_redis() -> Option<(Ended, Backing)> {
        let Backing::Servers { database, .. } = Backing::fresh() else { return None };
        let port = port::one();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "redis-server", "--save", "", "--port", &port.to_string()]);
        command.args(["--bind", "127.0.0.1"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let redis = Ended(spawn(command));
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Some((redis, Backing::Servers { database, redis: format!("redis://127.0.0.1:{port}/0") }))
    }

    pub fn arguments(&self) -> Vec<String> {
        match self {
            Backing::Embedded => Vec::new(),
            Backing::Servers { database, redis } => {
                vec!["--database-url".into(), database.clone(), "--redis-url".into(), redis.clone()]
            }
        }
    }
}
