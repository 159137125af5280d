//! The program as an operator runs it: exit status 0 done, 1 refused with one line why, 2 wrong usage.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

const AN: &str = "099090000001";

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let config = format!(
            "issuer = \"http://localhost:8080\"\ndanger_http_loopback = true\n[keys]\ndirectory = {:?}\n[database]\nurl = {:?}\n",
            at("keys"),
            format!("sqlite:{}", at("idp.db"))
        );
        std::fs::write(directory.path().join("idp.toml"), config).unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    fn admin(&self, arguments: &[&str]) -> Output {
        run(&self.path("idp.toml"), arguments)
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one line why.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        assert!(output.stdout.is_empty());
        text
    }
}

fn run(config: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_admin")).arg("--config").arg(config).args(arguments).output().unwrap()
}

fn line(number: &str, level: u8) -> String {
    format!(
        r#"{{"person_number":"{number}","name":"Nguyễn Văn An","account":{{"level":{level},"state":"activated"}}}}"#
    )
}

#[test]
fn wrong_usage_ends_with_two_and_help_with_zero() {
    let bench = Bench::new();
    for arguments in [
        &["frob"][..],
        &[],
        &["account", "show"],
        &["account", "show", "12x"],
        &["eid", "lock", AN, "--ground", "e", "--authority", "C06"],
        &["eid", "lock", AN, "--ground", "a"],
        &["client", "put"],
    ] {
        assert_eq!(bench.admin(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(bench.admin(&["--help"]).status.code(), Some(0));
}

#[test]
fn accounts_are_imported_shown_locked_and_their_trail_exported() {
    let bench = Bench::new();
    let good = bench.write("good.jsonl", &format!("{}\n{}\n", line(AN, 2), line("099192000002", 1)));
    let bad = bench.write("bad.jsonl", &format!("{}\n{}\n", line("099085000003", 2), line("099195000004", 3)));
    assert!(bench.refused(&["account", "import", &bad]).contains("line 2: account.level is 1 or 2"));
    assert!(bench.refused(&["account", "show", "099085000003"]).contains("no account"));
    assert!(bench.done(&["account", "import", &good]).contains("2 created, 0 replaced"));
    assert!(bench.done(&["account", "import", &good, "--json"]).contains(r#""replaced":2"#));

    let masked = bench.done(&["account", "show", AN]);
    assert!(masked.contains("099••••••001") && !masked.contains(AN) && !masked.contains("Nguyễn Văn An"), "{masked}");
    assert!(bench.done(&["account", "show", AN, "--reveal", "--json"]).contains(AN));

    let lock = |act, ground| ["eid", act, AN, "--ground", ground, "--authority", "C06"];
    assert!(bench.done(&lock("lock", "đ")).contains("locked on đ"));
    assert!(bench.done(&lock("lock", "a")).contains("locked on a, đ"));
    assert!(bench.done(&lock("unlock", "a")).contains("locked on đ"));
    assert!(bench.done(&lock("unlock", "đ")).contains("active"));
    bench.done(&lock("lock", "d"));
    assert!(bench.refused(&lock("unlock", "d")).contains("death"));
    // domain.md 6.2: an account without an e-ID locks by the same grounds.
    let level_one = ["eid", "lock", "099192000002", "--ground", "a", "--authority", "C06"];
    assert!(bench.done(&level_one).contains("locked on a"));

    let trail = bench.done(&["trail", "export", AN]);
    assert_eq!(trail.matches("\"kind\":\"eid_locked\"").count(), 3, "{trail}");
    assert!(!trail.contains(AN) && trail.contains("account_revealed"));
}

/// `security.md` LK-19, at a size for every day; its figures are printed by the provider's own test.
#[test]
fn lk_19_everybody_in_a_file_is_locked_and_who_could_not_be_is_named() {
    let bench = Bench::new();
    let numbers: Vec<String> = (1..=40).map(|n| format!("0990900001{n:02}")).collect();
    let people = numbers.iter().map(|number| line(number, 2)).collect::<Vec<_>>().join("\n");
    bench.done(&["account", "import", &bench.write("people.jsonl", &people)]);
    let lock_all = |run: &dyn Fn(&[&str]) -> String, text: &str| {
        run(&["eid", "lock-all", &bench.write("numbers", text), "--ground", "đ", "--authority", "C06"])
    };
    let run_done = |text: &str| lock_all(&|arguments| bench.done(arguments), text);
    let run_refused = |text: &str| lock_all(&|arguments| bench.refused(arguments), text);
    let grounds = |number: &str| bench.done(&["account", "show", number]).contains("grounds: đ");

    let malformed = run_refused(&format!("{}\n\nnobody\n", numbers[0]));
    assert!(malformed.contains("line 3: a person number is") && !grounds(&numbers[0]), "{malformed}");
    let first = run_done(&numbers[..20].join("\n"));
    assert!(first.contains("locked 20, 0 were locked"), "{first}");
    let told = run_refused(&format!("{}\n099085000003\n", numbers.join("\n")));
    assert!(
        told.contains("locked 20, 20 were locked on this ground before; 1 not locked: line 41: no account"),
        "{told}"
    );
    assert!(numbers.iter().all(|number| grounds(number)) && !told.contains("099085000003"));
}

#[test]
fn clients_are_put_listed_shown_suspended_and_closed() {
    let bench = Bench::new();
    let file = |body: &str| {
        bench.write(
            "portal.json",
            &format!(r#"{{"client_id":"portal","client_name":"Cổng","redirect_uris":["http://localhost:8082/cb"],"scope":"openid"{body}}}"#),
        )
    };
    let first = bench.done(&["client", "put", &file(""), "--json"]);
    assert!(first.contains("client_secret"), "{first}");
    assert!(!bench.done(&["client", "put", &file("")]).contains("client_secret"));
    let shown = bench.done(&["client", "show", "portal"]);
    assert!(shown.contains("\"client_id\": \"portal\"") && !shown.contains("client_secret\":"), "{shown}");
    bench.refused(&[
        "client",
        "put",
        &file(r#","token_endpoint_auth_method":"none","client_secret":"0123456789012345"}"#),
    ]);
    bench.refused(&["client", "put", &file(r#","frob":1"#)]);
    bench.done(&["client", "suspend", "portal"]);
    assert!(bench.done(&["client", "list"]).contains("portal\tsuspended"));
    bench.done(&["client", "resume", "portal"]);
    bench.done(&["client", "close", "portal"]);
    assert!(bench.done(&["client", "list", "--json"]).contains("\"status\":\"closed\""));
    assert!(bench.refused(&["client", "put", &file("")]).contains("closed"));
    bench.refused(&["client", "show", "nobody"]);
    assert_eq!(bench.done(&["client", "trace", "portal", "--json"]).trim(), "[]");
    assert!(bench.refused(&["client", "trace", "nobody"]).contains("no client has this client_id"));
}

#[test]
fn invitations_are_given_listed_and_taken_back() {
    let bench = Bench::new();
    let purposes = bench.write(
        "purposes.json",
        r#"[{"id":"p","title":{"vi":"Thư","en":"Mail"},"claims":["email"],"required":["email"]}]"#,
    );
    let whole = [
        "--scope",
        "openid email",
        "--purposes",
        &purposes,
        "--legal-basis",
        "law",
        "--pkce",
        "optional",
        "--assertion-audience",
        "token_endpoint",
        "--min-account-level",
        "2",
        "--min-auth-level",
        "2",
        "--profile",
        "oidc",
        "--relying-party",
        "Bộ",
        "--uses",
        "5",
        "--until",
        "2099-12-31",
    ];
    let given = bench.done(&[&["client", "invite"][..], &whole].concat());
    let (id, token) = (given.split(' ').next().unwrap(), given.lines().nth(1).unwrap());
    let token = token.strip_prefix("initial_access_token: ").unwrap();
    assert_eq!(token.len(), 43);
    bench.done(&["client", "invite", "--json"]);
    let listed = bench.done(&["client", "invitations", "--json"]);
    assert!(listed.contains(id) && !listed.contains(token), "{listed}");
    for stated in
        [r#""uses_left":5"#, r#""vn_legal_basis":"law""#, r#""vn_pkce":"optional""#, r#""required":["email"]"#]
    {
        assert!(listed.contains(stated), "{stated}: {listed}");
    }
    bench.done(&["client", "uninvite", id]);
    assert!(bench.done(&["client", "invitations"]).contains(&format!("{id}\trevoked\t5")));
    bench.refused(&["client", "uninvite", id]);
    for (flag, value) in [
        ("--scope", "openid vn_helth"),
        ("--uses", "0"),
        ("--until", "31/12/2099"),
        ("--profile", "x"),
        ("--purposes", "none.json"),
    ] {
        bench.refused(&["client", "invite", flag, value]);
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_refusal() {
    let bench = Bench::new();
    let missing = run(&bench.path("none.toml"), &["client", "list"]);
    assert_eq!(missing.status.code(), Some(1));
    bench.write("idp.toml", "issuer = \"http://localhost:8080\"\nfrob = 1\n");
    assert!(bench.refused(&["client", "list"]).contains("frob"));
}
