//! One running sandbox process, ended by its own process id.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::backing::Backing;
use super::port;
use super::wire::Visitor;

const STARTS_WITHIN: Duration = Duration::from_secs(90);

pub struct Sandbox {
    pub issuer: String,
    pub backing: Backing,
    port_base: u16,
    directory: tempfile::TempDir,
    options: &'static [&'static str],
    running: Mutex<Option<Child>>,
    /// What it printed before `sandbox ready`: the table with the seeded holders.
    table: Arc<Mutex<String>>,
    /// Everything printed or logged afterwards.
    log: Arc<Mutex<String>>,
}

impl Sandbox {
    /// The one sandbox most tests share; each brings its own holders and clients.
    pub fn shared() -> &'static Sandbox {
        static SHARED: OnceLock<Sandbox> = OnceLock::new();
        SHARED.get_or_init(Sandbox::fresh)
    }

    /// A sandbox of one's own on an empty store.
    pub fn fresh() -> Sandbox {
        Sandbox::with(&[])
    }

    /// As `fresh`, with these on its command line.
    pub fn with(options: &'static [&'static str]) -> Sandbox {
        Sandbox::on(Backing::fresh(), options)
    }

    /// As `with`, on a backing of the test's own.
    pub fn on(backing: Backing, options: &'static [&'static str]) -> Sandbox {
        let port_base = port::ten();
        let sandbox = Sandbox {
            issuer: format!("http://localhost:{port_base}"),
            backing,
            port_base,
            directory: tempfile::tempdir().unwrap(),
            options,
            running: Mutex::new(None),
            table: Arc::default(),
            log: Arc::default(),
        };
        sandbox.start();
        sandbox
    }

    /// Starts the process on the directory and store it has and waits for `sandbox ready`.
    pub fn start(&self) {
        let mut command = Command::new("setpriv");
        // The kernel ends the sandbox when this process dies in any way, so nothing is left behind.
        command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_sandbox")]);
        command.arg("--data").arg(self.data()).args(["--port-base", &self.port_base.to_string()]);
        command.args(self.backing.arguments()).args(self.options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(command);
        let (said_ready, ready) = channel();
        let (table, log) = (Arc::clone(&self.table), Arc::clone(&self.log));
        read_lines(child.stdout.take().unwrap(), {
            let (log, mut before) = (Arc::clone(&log), true);
            move |line| {
                if line.trim() == "sandbox ready" {
                    before = false;
                    said_ready.send(()).ok();
                }
                let place = if before { &table } else { &log };
                place.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        read_lines(child.stderr.take().unwrap(), move |line| log.lock().unwrap().push_str(&(line + "\n")));
        if ready.recv_timeout(STARTS_WITHIN).is_err() {
            drop(child.kill());
            panic!("the sandbox did not become ready:\n{}\n{}", self.table(), self.log());
        }
        *self.running.lock().unwrap() = Some(child);
    }

    /// SIGKILL: nothing of the process runs any more when this returns.
    pub fn kill(&self) {
        if let Some(mut child) = self.running.lock().unwrap().take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// A second provider process on this sandbox's store, keys and short memory; `None` where a store has one server.
    pub async fn beside(&self) -> Option<Beside> {
        self.beside_with(&[]).await
    }

    /// As `beside`, with these in its environment.
    pub async fn beside_with(&self, environment: &[(&str, &str)]) -> Option<Beside> {
        if matches!(self.backing, Backing::Embedded) {
            return None;
        }
        // Beyond what the sandbox itself counts from its base.
        let (port, operations) = (self.port_base + 8, self.port_base + 9);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program("idp"));
        command.arg("--config").arg(self.data().join("idp.toml")).arg("serve").current_dir(self.data());
        command.env("IDP_LISTEN", format!("127.0.0.1:{port}"));
        command.env("IDP_OPERATIONS__LISTEN", format!("127.0.0.1:{operations}"));
        command.envs(environment.iter().copied());
        Some(self.started(command, port, "/jwks").await)
    }

    /// A second console on this sandbox's store and keys, with these settings of its own.
    pub async fn console_beside(&self, settings: &[(&str, &str)]) -> Beside {
        // As of `beside`, which no test uses at the same time.
        let (port, operations) = (self.port_base + 8, self.port_base + 9);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program("admin"));
        command.arg("--config").arg(self.data().join("idp.toml")).arg("serve").current_dir(self.data());
        command.env("IDP_ADMIN__LISTEN", format!("127.0.0.1:{port}"));
        command.env("IDP_ADMIN__OPERATIONS_LISTEN", format!("127.0.0.1:{operations}"));
        command.envs(settings.iter().copied());
        self.started(command, port, "/").await
    }

    /// Waits until a process answers at its port.
    async fn started(&self, mut command: Command, port: u16, path: &str) -> Beside {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let beside = Beside { address: format!("http://localhost:{port}"), _process: Ended(spawn(command)) };
        let (visitor, begun) = (Visitor::new(&beside.address), Instant::now());
        while visitor.attempt("GET", path, &[], None).await.is_err() {
            assert!(begun.elapsed() < STARTS_WITHIN, "nothing answers at {}", beside.address);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        beside
    }

    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    pub fn table(&self) -> String {
        self.table.lock().unwrap().clone()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `http://localhost:N+offset`: 1 console, 2 national portal, 3 ministry portal, 4 phone, 1000 operations.
    pub fn neighbour(&self, offset: u16) -> String {
        format!("http://localhost:{}", self.port_base + offset)
    }

    /// Runs `admin --config DIR/idp.toml …` beside the running server.
    pub fn admin(&self, arguments: &[&str]) -> Output {
        let program = program("admin");
        Command::new(&program)
            .arg("--config")
            .arg(self.data().join("idp.toml"))
            .args(arguments)
            .current_dir(self.data())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{} cannot run: {error}", program.display()))
    }

    /// As `admin`, where only success makes sense: the output.
    pub fn admin_ok(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert!(output.status.success(), "admin {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A file with this text, outside the sandbox's own directory.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        static PLACE: OnceLock<tempfile::TempDir> = OnceLock::new();
        let place = PLACE.get_or_init(|| tempfile::tempdir().unwrap()).path();
        let path = place.join(format!("{}-{name}", super::next()));
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// A process beside the sandbox's own, ended with this.
pub struct Beside {
    pub address: String,
    _process: Ended,
}

/// A process that is ended when this goes.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of another package, built by `conformance/test` into the same directory as the sandbox.
pub fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_sandbox")).with_file_name(name)
}

/// All children are started by one thread that never ends: their parent-death signal follows that thread.
pub fn spawn(command: Command) -> Child {
    type Order = (Command, Sender<std::io::Result<Child>>);
    static STARTER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (orders, inbox): (Sender<Order>, Receiver<Order>) = channel();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                drop(answer.send(command.spawn()));
            }
        });
        Mutex::new(orders)
    });
    let (answer, child) = channel();
    starter.lock().unwrap().send((command, answer)).unwrap();
    child.recv().unwrap().expect("the program starts")
}

fn read_lines(from: impl std::io::Read + Send + 'static, mut each: impl FnMut(String) + Send + 'static) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            each(line);
        }
    });
}
