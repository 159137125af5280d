//! The provider's own program on a configuration of a test's choosing, ended by its own process id.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::sandbox::{program, spawn};
use super::wire::Visitor;

pub struct Provider {
    pub issuer: String,
    pub directory: tempfile::TempDir,
    running: Child,
}

impl Provider {
    /// Plain HTTP on loopback, with these lines added to its configuration.
    pub fn plain(port: u16, more: &str) -> Provider {
        let issuer = format!("http://localhost:{port}");
        let top = format!("issuer = \"{issuer}\"\nlisten = \"127.0.0.1:{port}\"\ndanger_http_loopback = true\n");
        Self::on(tempfile::tempdir().unwrap(), &issuer, port, &format!("{top}{more}"))
    }

    /// On a directory that holds what the configuration names. Waits until `port` answers.
    pub fn on(directory: tempfile::TempDir, issuer: &str, port: u16, config: &str) -> Provider {
        let path = directory.path();
        let operations = free_port();
        let places = format!(
            "\n[operations]\nlisten = \"127.0.0.1:{operations}\"\n[database]\nurl = \"sqlite:{0}/idp.db\"\n[keys]\n\
             directory = \"{0}/keys\"\n[telemetry]\nlog = \"info\"\n",
            path.display()
        );
        std::fs::write(path.join("idp.toml"), format!("{config}{places}")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program("idp"));
        command.arg("--config").arg(path.join("idp.toml")).arg("serve").current_dir(path);
        let log = std::fs::File::create(path.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let provider = Provider { issuer: issuer.to_owned(), running: spawn(command), directory };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "the provider did not start: {}", provider.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        provider
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.issuer)
    }

    /// Everything it printed and logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// Registers a client as the operator does.
    pub fn put_client(&self, metadata: &Value) {
        let file: PathBuf = self.path().join(format!("client-{}.json", super::next()));
        std::fs::write(&file, metadata.to_string()).unwrap();
        let mut command = Command::new(program("admin"));
        command.arg("--config").arg(self.path().join("idp.toml")).args(["client", "put"]).arg(&file);
        let output = command.current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.running.kill());
        drop(self.running.wait());
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
