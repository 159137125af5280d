//! The provider's own program on a configuration of a test's choosing, ended by its own process id.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::certificate::{Certified, Wanted, authority, make, rsa_key};
use super::port;
use super::relying_party::{Proof, REDIRECT, RelyingParty, merge};
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
        let operations = port::one();
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

    pub fn pid(&self) -> u32 {
        self.running.id()
    }

    pub fn is_running(&self) -> bool {
        // Signal 0 asks; `setpriv` became the program.
        Path::new(&format!("/proc/{}/exe", self.pid())).exists()
    }

    /// Everything it printed and logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// Whether the log comes to tell something at least so many times: lines are written a moment after what they tell of.
    pub fn tells(&self, what: &str, times: usize) -> bool {
        let start = Instant::now();
        while self.log().matches(what).count() < times && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.log().matches(what).count() >= times
    }

    /// Registers a client as the operator does.
    pub fn put_client(&self, metadata: &Value) {
        self.admin("client", "put", &metadata.to_string());
    }

    /// Registers a public client for codes; members of `patch` replace the defaults.
    pub fn public(&self, patch: Value) -> RelyingParty {
        let mut metadata = json!({
            "client_id": format!("app-{}", super::next()), "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none", "scope": "openid",
        });
        merge(&mut metadata, patch);
        self.put_client(&metadata);
        RelyingParty {
            id: metadata["client_id"].as_str().unwrap().to_owned(),
            redirect: REDIRECT.to_owned(),
            proof: Proof::None,
            metadata,
            issuer: self.issuer.clone(),
        }
    }

    /// Imports one account as the operator does.
    pub fn import(&self, record: &Value) {
        self.admin("account", "import", &format!("{record}\n"));
    }

    fn admin(&self, what: &str, verb: &str, text: &str) {
        let file: PathBuf = self.path().join(format!("{what}-{}", super::next()));
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(program("admin"));
        command.arg("--config").arg(self.path().join("idp.toml")).args([what, verb]).arg(&file);
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

/// What an authority revoked, as it writes it down.
pub type List = dyn Fn(&Certified) -> Vec<u8>;

const REVOKED: &str = "client-crl.pem";

/// A provider that speaks TLS as `https://localhost`, whatever its port, and mutual TLS on another.
pub struct Secured {
    pub provider: Provider,
    pub port: u16,
    pub mutual_port: u16,
    /// Issued the certificate of the server.
    pub root: Certified,
    /// Issues certificates of clients.
    pub client_root: Certified,
}

impl Secured {
    pub fn new() -> Secured {
        Secured::checking(None)
    }

    /// With a revocation list of the clients' authority, where one is to be checked.
    pub fn checking(list: Option<&List>) -> Secured {
        let (root, client_root) = (authority("Gốc máy chủ"), authority("Gốc máy khách"));
        let directory = tempfile::tempdir().unwrap();
        let (port, mutual_port) = (port::one(), port::one());
        let at = |name: &str| directory.path().join(name).display().to_string();
        install(&directory, &server(&root));
        std::fs::write(at("client-ca.pem"), client_root.pem()).unwrap();
        let mut config = format!(
            "issuer = \"https://localhost\"\nlisten = \"127.0.0.1:{port}\"\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n\
             [mtls]\nlisten = \"127.0.0.1:{mutual_port}\"\nissuer_alias = \"https://localhost:{mutual_port}\"\n\
             client_ca = \"{}\"\n",
            at("server.pem"),
            at("server.key"),
            at("client-ca.pem"),
        );
        if let Some(list) = list {
            std::fs::write(at(REVOKED), list(&client_root)).unwrap();
            config += &format!("client_crl = \"{}\"\n", at(REVOKED));
        }
        let provider = Provider::on(directory, "https://localhost", port, &config);
        Secured { provider, port, mutual_port, root, client_root }
    }

    /// Puts another revocation list in place of the one before.
    pub fn revoke(&self, list: &[u8]) {
        std::fs::write(self.provider.path().join(REVOKED), list).unwrap();
    }

    /// Puts another certificate in place of the server's.
    pub fn install(&self, certified: &Certified) {
        install(&self.provider.directory, certified);
    }

    /// A visitor of the public listener.
    pub fn visitor(&self) -> Visitor {
        self.caller(&self.provider.issuer, None)
    }

    /// A visitor of the listener that asks for certificates, with one or without.
    pub fn mutual(&self, shown: Option<&Certified>) -> Visitor {
        self.caller(&format!("https://localhost:{}", self.mutual_port), shown)
    }

    fn caller(&self, origin: &str, shown: Option<&Certified>) -> Visitor {
        let root = reqwest::Certificate::from_pem(&self.root.pem()).unwrap();
        // The issuer names no port; the address the name resolves to does.
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], self.port)))
            .tls_certs_only([root]);
        if let Some(shown) = shown {
            http = http.identity(reqwest::Identity::from_pkcs8_pem(&shown.pem(), &shown.key_pem()).unwrap());
        }
        Visitor::on(http.build().unwrap(), origin)
    }
}

/// A server's certificate for localhost.
pub fn server(root: &Certified) -> Certified {
    let wanted =
        Wanted { subject: &[("CN", "localhost")], dns: Some("localhost"), for_clients: false, ..Wanted::default() };
    make(rsa_key(), Some(root), &wanted)
}

fn install(directory: &tempfile::TempDir, certified: &Certified) {
    // The key first: a pair that does not match is never served, and read again when the other half changes.
    std::fs::write(directory.path().join("server.key"), certified.key_pem()).unwrap();
    std::fs::write(directory.path().join("server.pem"), certified.pem()).unwrap();
}
