use proptest::prelude::*;

use super::*;
use crate::domain::{AuthenticationLevel, Span};

const LEAST: &str = "issuer = \"https://id.example.vn\"\n[keys]\ndirectory = \"keys\"\n";

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, Invalid> {
    Config::read(text, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// `LEAST` with one more key in a section.
fn with(section: &str, line: &str) -> Result<Config, Invalid> {
    match section {
        "" => read(&format!("{line}\n{LEAST}"), &[]),
        "keys" => read(&format!("{LEAST}{line}\n"), &[]),
        section => read(&format!("{LEAST}[{section}]\n{line}\n"), &[]),
    }
}

fn refused(result: Result<Config, Invalid>) -> String {
    result.unwrap_err().key
}

#[test]
fn contract_3_issuer_and_keys_directory_are_all_a_start_needs() {
    let config = read(LEAST, &[]).unwrap();
    assert_eq!(config, Config::new("https://id.example.vn", "keys"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.operations.listen.to_string(), "127.0.0.1:9080");
    assert_eq!(config.database.url, "sqlite:idp.db");
    assert_eq!(config.ephemeral.url, "memory:");
    assert_eq!(config.database.migrate(), Migrate::Auto);
    assert_eq!(refused(read("", &[])), "issuer");
    assert_eq!(refused(read("issuer = \"https://id.example.vn\"", &[])), "keys.directory");
}

#[test]
fn contract_3_postgres_waits_for_its_operator() {
    let config = with("database", "url = \"postgres://u:p@db/idp\"").unwrap();
    assert!(config.database.is_postgres());
    assert_eq!(config.database.migrate(), Migrate::Check);
}

#[test]
fn contract_3_an_unknown_key_is_refused_by_its_name() {
    for (section, line, key) in [
        ("", "isuer = \"x\"", "isuer"),
        ("", "Issuer = \"x\"", "Issuer"),
        ("keys", "master = \"x\"", "keys.master"),
        ("lifetimes", "session = 1", "lifetimes.session"),
        ("limits", "forms = 1", "limits.forms"),
        ("registry", "uri = \"x\"", "registry.uri"),
        ("telemetry.log", "level = \"info\"", "telemetry.log"),
    ] {
        assert_eq!(refused(with(section, line)), key, "{line}");
    }
    for name in ["IDP_ISUER", "IDP_LIMITS", "IDP_LIMITS__FORMS", "IDP_KEYS__DIRECTORY__X", "IDP___LISTEN", "IDP_"] {
        assert_eq!(refused(read(LEAST, &[(name, "1")])), name);
    }
}

#[test]
fn contract_3_the_environment_overrides_each_key() {
    let config = read(
        LEAST,
        &[
            ("IDP_ISSUER", "http://localhost:8080"),
            ("IDP_LISTEN", "0.0.0.0:80"),
            ("IDP_DANGER_HTTP_LOOPBACK", "true"),
            ("IDP_DATABASE__MIGRATE", "check"),
            ("IDP_DATABASE__POOL", "3"),
            ("IDP_KEYS__DIRECTORY", "/run/keys"),
            ("IDP_SMS__KIND", "http"),
            ("IDP_SMS__URL", "https://sms.example.vn/send"),
            ("IDP_LIFETIMES__CODE", "30"),
            ("IDP_WEB__WORKERS", "4"),
            ("IDP_WEB__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("OTHER", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.issuer, "http://localhost:8080");
    assert_eq!(config.listen.to_string(), "0.0.0.0:80");
    assert!(config.danger_http_loopback);
    assert_eq!(config.database.migrate(), Migrate::Check);
    assert_eq!(config.database.pool, 3);
    assert_eq!(config.keys.directory, PathBuf::from("/run/keys"));
    assert_eq!(config.sms.kind, SmsKind::Http);
    assert_eq!(config.lifetimes.code, Span::seconds(30));
    assert_eq!(config.web.workers, Some(4));
    assert!(config.web.trusts("10.9.9.9".parse().unwrap()) && config.web.trusts("::1".parse().unwrap()));
    assert!(!config.web.trusts("11.0.0.1".parse().unwrap()));
}

#[test]
fn a_service_called_idp_in_the_same_cluster_does_not_stop_the_start() {
    let environment = [
        ("IDP_PORT", "tcp://10.0.0.1:80"),
        ("IDP_SERVICE_HOST", "10.0.0.1"),
        ("IDP_SERVICE_PORT_HTTP", "80"),
        ("IDP_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("IDP_CONSOLE_PORT_8081_TCP", "x"),
        ("IDP_TEST_DATABASE", "postgres://x"),
    ];
    assert!(read(LEAST, &environment).is_ok());
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_its_name() {
    for (section, line, key) in [
        ("", "listen = \"here\"", "listen"),
        ("", "listen = 8080", "listen"),
        ("", "danger_http_loopback = \"true\"", "danger_http_loopback"),
        ("", "lifetimes = 3", "lifetimes"),
        ("database", "pool = \"8\"", "database.pool"),
        ("database", "pool = -1", "database.pool"),
        ("database", "pool = 1.5", "database.pool"),
        ("database", "migrate = \"never\"", "database.migrate"),
        ("sms", "kind = \"pigeon\"", "sms.kind"),
        ("web", "trusted_proxies = [\"10.0.0.0/33\"]", "web.trusted_proxies"),
        ("web", "trusted_proxies = [1]", "web.trusted_proxies"),
        ("telemetry", "format = \"xml\"", "telemetry.format"),
    ] {
        assert_eq!(refused(with(section, line)), key, "{line}");
    }
    assert_eq!(refused(read(LEAST, &[("IDP_DATABASE__POOL", "many")])), "IDP_DATABASE__POOL");
    assert_eq!(refused(read(LEAST, &[("IDP_DANGER_HTTP_LOOPBACK", "yes")])), "IDP_DANGER_HTTP_LOOPBACK");
    assert_eq!(refused(read("issuer = ", &[])), "idp.toml");
    assert_eq!(refused(read("issuer = \"a\"\nissuer = \"b\"", &[])), "idp.toml");
}

#[test]
fn values_that_do_not_belong_together_are_refused() {
    for (section, line, key) in [
        ("", "danger_http_loopback = true", "danger_http_loopback"),
        ("database", "url = \"mysql://db\"", "database.url"),
        ("database", "url = \"sqlite:\"", "database.url"),
        ("database", "pool = 0", "database.pool"),
        ("ephemeral", "url = \"memory\"", "ephemeral.url"),
        ("sms", "kind = \"http\"", "sms.url"),
        ("sms", "url = \"https://sms.example.vn\"", "sms.url"),
        ("web", "workers = 0", "web.workers"),
        ("admin", "public_url = \"https://console.example.vn/\"", "admin.public_url"),
        ("limits", "parameters = 0", "limits.parameters"),
    ] {
        assert_eq!(refused(with(section, line)), key, "{line}");
    }
}

#[test]
fn contract_3_lifetimes_may_be_shortened_and_never_lengthened() {
    for (name, ceiling) in [
        ("code", 60),
        ("request_uri", 120),
        ("interaction", 1_800),
        ("otp", 600),
        ("access_token", 3_600),
        ("id_token", 600),
        ("refresh_token_idle", 2_592_000),
        ("session_idle_level_1", 3_600),
        ("session_absolute_level_1", 86_400),
        ("session_idle_level_2", 900),
        ("session_absolute_level_2", 43_200),
    ] {
        for seconds in [1, ceiling] {
            assert!(with("lifetimes", &format!("{name} = {seconds}")).is_ok(), "{name} = {seconds}");
        }
        for seconds in [-1, 0, ceiling + 1] {
            let refusal = with("lifetimes", &format!("{name} = {seconds}")).unwrap_err();
            assert_eq!(refusal.key, format!("lifetimes.{name}"));
            assert!(refusal.reason.contains(&ceiling.to_string()), "{refusal}");
        }
    }
    let shorter = with("lifetimes", "session_idle_level_2 = 60").unwrap().lifetimes;
    assert_eq!(shorter.session(AuthenticationLevel::Two).idle, Span::seconds(60));
    assert_eq!(shorter.session(AuthenticationLevel::One).idle, Span::hours(1));
}

#[test]
fn effective_settings_show_no_secret() {
    let text = format!(
        "{LEAST}[database]\nurl = \"postgres://idp:geheim@db/idp?sslpassword=geheim\"\n\
         [ephemeral]\nurl = \"rediss://:geheim@short:6379/1\"\n\
         [sms]\nkind = \"http\"\nurl = \"https://geheim@sms.example.vn/send?key=geheim\"\n"
    );
    let config = read(&text, &[]).unwrap();
    let effective = config.effective();
    assert!(!effective.contains("geheim"), "{effective}");
    assert!(effective.contains("@db/idp") && effective.contains("sms.example.vn"), "{effective}");
    assert!(config.to_toml().contains("geheim"));
    assert_eq!(super::write::hide("postgres://a:geheim@one:1,two:2/idp"), "postgres://hidden");
    assert_eq!(super::write::hide("sqlite:idp.db"), "sqlite:idp.db");
}

#[test]
fn a_written_configuration_reads_back_the_same() {
    let mut config = Config::new("http://localhost:8080", "/var/lib/idp \"keys\"\n");
    config.danger_http_loopback = true;
    config.web.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    config.database.migrate = Some(Migrate::Check);
    config.admin.client_secret_file = Some("secret".into());
    config.telemetry.format = LogFormat::Text;
    assert_eq!(read(&config.to_toml(), &[]).unwrap(), config);
}

#[test]
fn a_named_file_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp.toml");
    assert_eq!(refused(Config::load(Some(&path))), path.display().to_string());
    std::fs::write(&path, LEAST).unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap(), read(LEAST, &[]).unwrap());
}

#[test]
fn the_issuer_names_its_host() {
    for (issuer, host) in [
        ("https://id.example.vn", "id.example.vn"),
        ("http://localhost:8080", "localhost"),
        ("http://[::1]:8080", "[::1]"),
    ] {
        assert_eq!(Config::new(issuer, "keys").issuer_host(), host);
    }
}

#[test]
fn networks_contain_their_addresses_and_no_others() {
    for (network, inside, outside) in [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("::1", "::1", "::2"),
        ("192.168.0.0/16", "192.168.9.9", "::1"),
    ] {
        let network: Network = network.parse().unwrap();
        assert!(network.contains(inside.parse().unwrap()), "{network} {inside}");
        assert!(!network.contains(outside.parse().unwrap()), "{network} {outside}");
    }
    for everything in ["0.0.0.0/0", "::/0"] {
        let network: Network = everything.parse().unwrap();
        assert!(network.contains(if everything.contains(':') { "ff::1" } else { "9.9.9.9" }.parse().unwrap()));
    }
    for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1", "host"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in ".{0,200}", name in "IDP_[A-Z_]{0,20}", value in ".{0,20}") {
        let _ = read(&text, &[(&name, &value)]);
        let _ = read(LEAST, &[(&name, &value)]);
    }
}
