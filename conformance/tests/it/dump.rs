//! ST-01, P19: whoever steals the database, the files beside it, the short memory or the log learns no person
//! number, phone, name, password, token or one-time code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::ask::Ask;
use crate::support::backing::Backing;
use crate::support::flow::Will;
use crate::support::holder::{self, Holder};
use crate::support::sandbox::Sandbox;

/// What must not be found, by what it is.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn keep(&mut self, what: &'static str, value: &str) {
        self.0.push((what, value.to_owned()));
    }

    fn keep_holder(&mut self, holder: &Holder) {
        self.keep("person number", &holder.number);
        self.keep("name", &holder.name);
        self.keep("name without accents", &unaccented(&holder.name));
        self.keep("name in capitals", &holder.name.to_uppercase());
        self.keep("password", &holder.password);
        self.keep("phone", &holder.phone);
        self.keep("phone, national", &holder.phone.replacen("+84", "0", 1));
        self.keep("phone, bare", holder.phone.trim_start_matches('+'));
    }
}

/// «Đoàn Thị Hương» as «Doan Thi Huong».
fn unaccented(name: &str) -> String {
    let plain = |c: char| match c {
        'ă' | 'â' | 'á' | 'à' | 'ả' | 'ã' | 'ạ' | 'ắ' | 'ằ' | 'ẳ' | 'ẵ' | 'ặ' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' => {
            'a'
        }
        'ê' | 'é' | 'è' | 'ẻ' | 'ẽ' | 'ẹ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => 'e',
        'ô' | 'ơ' | 'ó' | 'ò' | 'ỏ' | 'õ' | 'ọ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ' | 'ớ' | 'ờ' | 'ở' | 'ỡ' | 'ợ' => {
            'o'
        }
        'ư' | 'ú' | 'ù' | 'ủ' | 'ũ' | 'ụ' | 'ứ' | 'ừ' | 'ử' | 'ữ' | 'ự' => 'u',
        'í' | 'ì' | 'ỉ' | 'ĩ' | 'ị' => 'i',
        'ý' | 'ỳ' | 'ỷ' | 'ỹ' | 'ỵ' => 'y',
        'đ' => 'd',
        'Đ' => 'D',
        other => other,
    };
    name.chars().map(plain).collect()
}

#[test]
fn names_lose_their_accents() {
    assert_eq!(
        unaccented("Đoàn Thị Quỳnh Hương Nguyễn Văn Trần Bình Lê Cường Phạm Dung Vũ Hạnh Hoàng"),
        "Doan Thi Quynh Huong Nguyen Van Tran Binh Le Cuong Pham Dung Vu Hanh Hoang"
    );
}

#[tokio::test]
async fn st_01_a_dump_after_the_run_holds_nothing_in_clear() {
    let idp = Sandbox::fresh();
    let mut secrets = Secrets(Vec::new());
    let mut digits = Vec::new();
    for who in [holder::AN, holder::BINH, holder::CUONG, holder::DUNG, holder::KHOI, holder::HANH, holder::EM] {
        secrets.keep_holder(&Holder::seeded(who));
    }
    let types = serde_json::json!(["vn_transaction"]);
    let confidential = idp.client(serde_json::json!({"authorization_details_types": types}));
    let public =
        idp.client(serde_json::json!({"token_endpoint_auth_method": "none", "authorization_details_types": types}));
    for client in [&confidential, &public] {
        for _ in 0..3 {
            let holder = idp.citizen();
            secrets.keep_holder(&holder);
            live(&idp, client, &holder, &mut secrets, &mut digits).await;
        }
    }
    if let crate::support::relying_party::Proof::Basic(secret) = &confidential.proof {
        secrets.keep("client secret", secret);
    }
    let log = idp.log();
    let mut places: BTreeMap<String, Vec<u8>> = BTreeMap::from([("log".to_owned(), log.into_bytes())]);
    collect(idp.data(), &mut places);
    match &idp.backing {
        Backing::Embedded => assert!(places.keys().any(|place| place.contains(".db")), "{:?}", places.keys()),
        Backing::Servers { database, redis } => {
            places.insert("pg_dump".to_owned(), run("pg_dump", &["--inserts", database]));
            let file = idp.file("redis.rdb", "");
            run("redis-cli", &["-u", redis, "--rdb", file.to_str().unwrap()]);
            places.insert("redis".to_owned(), std::fs::read(&file).unwrap());
        }
    }
    let size: usize = places.values().map(Vec::len).sum();
    assert!(size > 50_000, "there is something to search: {size} bytes");
    let mut found = Vec::new();
    for (place, bytes) in &places {
        for (what, secret) in &secrets.0 {
            assert!(secret.len() >= 6, "{what} is too short to be searched for");
            if contains(bytes, secret.as_bytes()) {
                found.push(format!("{what} in {place}"));
            }
        }
        let codes = digits.iter().filter(|otp| stands_alone(bytes, otp)).count();
        // Six digits stand in any megabyte of digests now and then; a leak would show them all.
        if codes > 1 {
            found.push(format!("{codes} of {} one-time codes in {place}", digits.len()));
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found, Vec::<String>::new());
}

/// Everything one holder can do: sign in, one-time code, consent, tokens, refresh, introspection, a refusal.
async fn live(
    idp: &Sandbox,
    client: &crate::support::relying_party::RelyingParty,
    holder: &Holder,
    secrets: &mut Secrets,
    digits: &mut Vec<String>,
) {
    let visitor = idp.visitor();
    let scope = "openid profile email phone address offline_access vn_identity vn_eid_status";
    let ask = Ask::of(client).scope(scope).with("acr_values", "urn:vn:eid:muc:2");
    let tokens = idp.tokens(&visitor, client, ask, holder).await;
    digits.push(idp.otp(&holder.phone).await);
    for message in idp.messages(&holder.phone).await {
        secrets.keep("text message", message.lines().next().unwrap());
    }
    let (phone, screen) = (idp.phone(holder).await, idp.visitor());
    let at = screen.open(&Ask::of(client).target()).await;
    let link = at.page().by_id("use-qr").unwrap().attribute("href").unwrap().to_owned();
    let shown = crate::support::app::Code::on(&screen.open(&link).await);
    let scanned = phone.scan(&shown).await.json();
    secrets.keep("QR ticket", shown.ticket());
    secrets.keep("challenge of the app", scanned["challenge"].as_str().unwrap());
    secrets.keep("name of a phone", "Máy thử nghiệm");
    secrets.keep("code", &tokens.code);
    secrets.keep("access token", tokens.access());
    secrets.keep("refresh token", tokens.refresh());
    secrets.keep("ID token", tokens.id_token());
    let body = client.userinfo(tokens.access()).await.json();
    for (claim, what) in [("email", "email"), ("birthdate", "birthdate"), ("vn_personal_id", "person number claim")] {
        secrets.keep(what, body[claim].as_str().unwrap());
    }
    secrets.keep("address", body["address"]["formatted"].as_str().unwrap());
    let refreshed = client.refresh(tokens.refresh()).await.json();
    secrets.keep("refreshed access token", refreshed["access_token"].as_str().unwrap());
    for value in visitor.cookies().into_values().filter(|value| value.len() >= 22) {
        secrets.keep("cookie", &value);
    }
    // A wrong password typed, a person number typed into the wrong field, a login hint by POST.
    let stranger = idp.visitor();
    let hinted = Ask::of(client).with("login_hint", &holder.number);
    let at = stranger.post("/authorize", &hinted.fields, &[]).await;
    let at = stranger.follow(at).await;
    let form = crate::support::flow::sign_in_form(&at, &holder.number, "Mật khẩu sai #2026");
    stranger.submit(&at, &form).await;
    secrets.keep("wrong password", "Mật khẩu sai #2026");
    // The same hint pushed, and where it waits.
    let pushed = client.pushed(&Ask::of(client).with("login_hint", &holder.number)).await;
    let (_, reference) = pushed.rsplit_once(':').unwrap();
    secrets.keep("reference of a pushed request", reference);
    stranger.open(&client.bring(&pushed)).await;
    let denied = visitor.open(&Ask::of(client).scope("openid email").with("prompt", "consent").target()).await;
    idp.walk(&visitor, denied, holder, Will::Deny).await;
    refused(idp, client, holder, secrets).await;
    pay(idp, client, (&visitor, holder), secrets).await;
    idp.admin_ok(&["account", "show", &holder.number, "--reveal"]);
    idp.admin_ok(&["trail", "export", &holder.number]);
}

/// Requests that are refused, with everything secret in the wrong place: what is kept of them for the client's team.
async fn refused(
    idp: &Sandbox,
    client: &crate::support::relying_party::RelyingParty,
    holder: &Holder,
    secrets: &Secrets,
) {
    let telling = |what: &str| what.contains("token") || what.contains("number") || what == "code";
    let last = secrets.0.iter().rev().filter(|(what, _)| telling(what)).map(|(_, value)| value.as_str()).take(6);
    for value in last.chain([holder.number.as_str(), holder.password.as_str()]) {
        let ask = Ask::of(client).with("redirect_uri", &format!("https://rp.gov.vn/{value}?x={value}"));
        let ask = ask.with("state", value).with("nonce", value).with("id_token_hint", value).with("login_hint", value);
        idp.visitor().post("/authorize", &ask.also(value, value).fields, &[]).await;
        client.call("/token", &[("grant_type", "authorization_code"), ("code", value), ("redirect_uri", value)]).await;
    }
    let last = client.call("/revoke", &[]).await;
    let reference = last.header("x-request-id").unwrap().to_owned();
    for _ in 0..200 {
        if idp.admin_ok(&["client", "trace", &client.id, "--reference", &reference]).contains(&reference) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{reference} is in no record");
}

/// A transaction approved and spent, one pushed and left, one left on its page: its words may name people.
async fn pay(
    idp: &Sandbox,
    client: &crate::support::relying_party::RelyingParty,
    (visitor, holder): (&crate::support::wire::Visitor, &Holder),
    secrets: &mut Secrets,
) {
    let ask = |way: &str| {
        let identifier = format!("LP-{}-{way}", holder.number);
        let (text, payee) = (format!("Nộp học phí cho {} ({way})", holder.name), format!("Trường {way} của Hương"));
        let details = serde_json::json!([{
            "type": "vn_transaction", "identifier": identifier, "text": {"vi": text, "en": format!("Pay {text}")},
            "amount": {"currency": "VND", "value": "7654321098"}, "payee": payee,
        }]);
        (Ask::of(client).with("authorization_details", &details.to_string()), [identifier, text, payee])
    };
    let (first, words) = ask("approved");
    let (left, more) = ask("pushed");
    let (shown, rest) = ask("shown");
    for word in words.iter().chain(&more).chain(&rest) {
        secrets.keep("words of a transaction", word);
    }
    secrets.keep("amount of a transaction", "7654321098");
    client.pushed(&left).await;
    let at = visitor.open(&first.target()).await;
    let at = idp.walk(visitor, at, holder, Will::AllowAll).await;
    let code = visitor.submit(&at, &at.page().press("allow", &[], &[])).await.returned().unwrap().code();
    let tokens = crate::support::flow::redeemed(client, first, code).await;
    assert!(tokens.body["authorization_details"].is_array());
    secrets.keep("transaction token", tokens.access());
    if client.introspects() {
        client.introspect(tokens.access()).await;
    }
    let at = visitor.open(&shown.target()).await;
    assert_eq!(at.page().name(), "otp");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Whether the digits stand somewhere without another digit beside them.
fn stands_alone(haystack: &[u8], digits: &str) -> bool {
    let needle = digits.as_bytes();
    haystack.windows(needle.len()).enumerate().any(|(at, window)| {
        let beside = |index: Option<usize>| index.and_then(|i| haystack.get(i)).is_some_and(u8::is_ascii_digit);
        window == needle && !beside(at.checked_sub(1)) && !beside(Some(at + needle.len()))
    })
}

fn collect(directory: &Path, places: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, places);
        } else if path.is_file() {
            places.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
