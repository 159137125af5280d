//! Setup: the directory the sandbox lives in, its secrets, and the configuration it runs on and writes down.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use idp::config::{Config, LogFormat, Migrate, UpstreamConfig};
use idp::domain::Span;
use idp::domain::secret::{ClientSecret, Minted};
use idp::random::{Random, SystemRandom};

use super::authority::{Certificates, SERVER};
use super::clients::CONSOLE;
use super::ports::{Ports, origin, secure_origin};
use super::registry;

/// What the provider shows the sample registers.
pub const REGISTRY: &str = "registry";
use super::upstream;

/// What was asked for on the command line.
#[derive(Clone, Debug)]
pub struct Options {
    pub directory: PathBuf,
    pub reset: bool,
    pub database_url: Option<String>,
    pub redis_url: Option<String>,
    pub ports: Ports,
    pub seed_only: bool,
    /// Providers to sign in through, beside the one that has ended.
    pub upstream: UpstreamConfig,
    /// Whose upstream this sandbox is.
    pub downstream: Option<String>,
}

/// Makes the directory, for its owner alone, and answers its full path: relative ones would depend on who reads them.
pub fn directory(path: &Path) -> Result<PathBuf, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(told)?;
    path.canonicalize().map_err(told)
}

/// The configuration of the provider and the console beside it.
pub fn configuration(options: &Options, directory: &Path, operators: Vec<String>) -> Config {
    let ports = options.ports;
    let listen = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut config = Config::new(origin(ports.provider()), directory.join("keys"));
    config.listen = listen(ports.provider());
    config.operations.listen = listen(ports.provider_operations());
    // Plain HTTP on this machine: browsers count localhost as secure.
    config.danger_http_loopback = true;
    config.database.url =
        options.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", directory.join("idp.db").display()));
    config.database.migrate = Some(Migrate::Auto);
    if let Some(url) = &options.redis_url {
        config.ephemeral.url.clone_from(url);
    }
    if ports.speak_tls() {
        let certificates = Certificates::of(directory);
        config.tls.certificate = Some(certificates.certificate(SERVER));
        config.tls.key = Some(certificates.key(SERVER));
        config.mtls.listen = Some(listen(ports.mutual()));
        config.mtls.issuer_alias = Some(secure_origin(ports.mutual()));
        config.mtls.client_ca = Some(certificates.authority());
    }
    config.admin.listen = listen(ports.console());
    config.admin.operations_listen = listen(ports.console_operations());
    config.admin.client_secret_file = Some(secret_file(directory, CONSOLE));
    config.admin.public_url = Some(origin(ports.console()));
    config.admin.officers.clone_from(&operators);
    config.admin.operators = operators;
    let registers = origin(ports.registry());
    config.registry.url = Some(registers.clone());
    config.registry.traffic_url = Some(format!("{registers}{}", registry::TRAFFIC));
    config.registry.insurance_url = Some(format!("{registers}{}", registry::INSURANCE));
    config.registry.tax_url = Some(format!("{registers}{}", registry::TAX));
    let token = Some(secret_file(directory, REGISTRY));
    config.registry.token_file.clone_from(&token);
    config.registry.traffic_token_file.clone_from(&token);
    config.registry.insurance_token_file.clone_from(&token);
    config.registry.tax_token_file = token;
    config.registry.timeout_milliseconds = 1_000;
    config.registry.open_seconds = 2;
    // Everybody here comes from one address, and the same few phones are tried again and again.
    config.limits.sign_ins_per_address = 100_000;
    config.limits.pages_per_address = 1_000_000;
    config.limits.otps_per_address = 100_000;
    config.limits.app_calls_per_10_seconds = 100;
    config.limits.otp_sends_per_10_seconds = 20;
    config.limits.otp_sends_per_quarter_hour = 1_000;
    config.limits.otp_sends_per_day = 10_000;
    config.limits.client_failures_per_network = 100_000;
    config.limits.sessions_per_account = 1_000;
    // Whoever walks a recovery here sees the wait and its end.
    config.recovery.danger_short_cooling_off = true;
    config.recovery.cooling_off = Span::seconds(20);
    config.web.shutdown_seconds = 5;
    config.upstream = upstream::with_ended(&options.upstream);
    config.telemetry.log = "warn".to_owned();
    config.telemetry.format = LogFormat::Text;
    config
}

/// Writes `idp.toml`, so that `idp` and `admin` work beside the sandbox. The store's address may hold a password.
pub fn write_configuration(config: &Config, directory: &Path) -> Result<PathBuf, String> {
    let path = directory.join("idp.toml");
    private_file(&path, config.to_toml().as_bytes())?;
    Ok(path)
}

fn secret_file(directory: &Path, client: &str) -> PathBuf {
    directory.join("secrets").join(client)
}

/// The secret of one of our own clients: minted at the first start, the same ever after.
pub fn client_secret(directory: &Path, client: &str) -> Result<String, String> {
    let path = secret_file(directory, client);
    if let Ok(kept) = fs::read_to_string(&path)
        && !kept.trim().is_empty()
    {
        return Ok(kept.trim().to_owned());
    }
    let random: &dyn Random = &SystemRandom;
    let fresh: Minted<ClientSecret> = random.mint().map_err(|fault| fault.to_string())?;
    self::directory(&directory.join("secrets"))?;
    private_file(&path, fresh.reveal().as_bytes())?;
    Ok(fresh.reveal().to_owned())
}

/// Written beside and moved into place, so that a reader never sees half a file.
pub fn private_file(path: &Path, content: &[u8]) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(told(error)),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(told)?;
    file.write_all(content).map_err(told)?;
    fs::rename(&beside, path).map_err(told)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn options() -> Options {
        Options {
            directory: PathBuf::from(".sandbox"),
            reset: false,
            database_url: None,
            redis_url: None,
            ports: Ports::from_base(18_080).unwrap(),
            seed_only: false,
            upstream: UpstreamConfig::default(),
            downstream: None,
        }
    }

    #[test]
    fn what_is_written_is_what_runs() {
        let place = tempfile::tempdir().unwrap();
        let mut options = options();
        for tls in [true, false] {
            options.ports = options.ports.with_tls(tls);
            let config = configuration(&options, place.path(), Vec::new());
            let path = write_configuration(&config, place.path()).unwrap();
            let read = Config::read(&fs::read_to_string(path).unwrap(), []).unwrap();
            assert_eq!(read.mtls.alias(), tls.then_some("https://localhost:18085"));
            assert_eq!(read, config);
        }
        let config = configuration(&options, place.path(), vec!["one".to_owned()]);
        let path = write_configuration(&config, place.path()).unwrap();
        let read = Config::read(&fs::read_to_string(&path).unwrap(), []).unwrap();
        assert_eq!(read, config);
        assert_eq!(read.issuer, "http://localhost:18080");
        assert_eq!(read.operations.listen.port(), 19_080);
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_secret_is_minted_once() {
        let place = tempfile::tempdir().unwrap();
        let first = client_secret(place.path(), "console").unwrap();
        assert_eq!(first.len(), 43);
        assert_eq!(client_secret(place.path(), "console").unwrap(), first);
        assert_ne!(client_secret(place.path(), "other").unwrap(), first);
    }
}
