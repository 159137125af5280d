//! P22, `security.md` RV-05: a storage that fails never becomes a success. One kind of write is made to fail at a time, by
//! a trigger of the database; whoever asked is told to come back, and nothing of the act remains.

use std::process::Command;

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::backing::Backing;
use crate::support::sandbox::Sandbox;
use crate::support::wire::Answer;

/// Runs statements beside the server.
fn run(idp: &Sandbox, sql: &str) {
    let script =
        "import sqlite3, sys\nlink = sqlite3.connect(sys.argv[1], timeout=30)\nlink.executescript(sys.argv[2])";
    let output = match &idp.backing {
        Backing::Embedded => {
            Command::new("python3").args(["-c", script]).arg(idp.data().join("idp.db")).arg(sql).output()
        }
        Backing::Servers { database, .. } => {
            Command::new("psql").args([database, "-v", "ON_ERROR_STOP=1", "-qc", sql]).output()
        }
    };
    let output = output.unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
}

/// From now on this write fails.
fn fail(idp: &Sandbox, write: &str, table: &str) {
    match &idp.backing {
        Backing::Embedded => run(
            idp,
            &format!(
                "CREATE TRIGGER gone BEFORE {write} ON {table} BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END;"
            ),
        ),
        Backing::Servers { .. } => run(
            idp,
            &format!(
                "CREATE OR REPLACE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is \
                 gone'; END $$; CREATE TRIGGER gone BEFORE {write} ON {table} FOR EACH ROW EXECUTE FUNCTION gone();"
            ),
        ),
    }
}

fn mend(idp: &Sandbox, table: &str) {
    match &idp.backing {
        Backing::Embedded => run(idp, "DROP TRIGGER gone;"),
        Backing::Servers { .. } => run(idp, &format!("DROP TRIGGER gone ON {table};")),
    }
}

fn told_to_come_back(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.body);
    assert!(answer.header("retry-after").is_some(), "{what}");
    assert_eq!(answer.json()["error"], json!("temporarily_unavailable"), "{what}");
    assert!(!answer.body.contains("disk"), "nothing of the cause is told: {}", answer.body);
}

#[tokio::test]
async fn rv_05_a_revocation_that_is_not_on_disk_is_none() {
    let idp = Sandbox::fresh();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &holder).await;
    let revoke = async |token: &str| client.call("/revoke", &[("token", token)]).await;
    for (token, write, table) in [
        (tokens.access(), "UPDATE", "access_tokens"),
        (tokens.access(), "INSERT", "trail"),
        (tokens.refresh(), "UPDATE", "grants"),
        (tokens.refresh(), "INSERT", "trail"),
    ] {
        fail(&idp, write, table);
        told_to_come_back(&revoke(token).await, table);
        mend(&idp, table);
        assert_eq!(client.introspect(token).await["active"], json!(true), "{write} {table}: nothing happened");
    }
    for token in [tokens.access(), tokens.refresh()] {
        assert_eq!(revoke(token).await.status, 200, "control");
        assert_eq!(client.introspect(token).await, json!({"active": false}));
    }
}

#[tokio::test]
async fn p_22_tokens_that_are_not_on_disk_are_not_told_and_the_code_stays_good() {
    let idp = Sandbox::fresh();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let ask = || Ask::of(&client).scope("openid profile offline_access");
    for (write, table) in
        [("UPDATE", "codes"), ("INSERT", "access_tokens"), ("INSERT", "refresh_tokens"), ("INSERT", "trail")]
    {
        let ask = ask();
        let code = idp.authorize(&visitor, &ask, &holder).await.code();
        fail(&idp, write, table);
        told_to_come_back(&client.redeem(&code, &ask.verifier).await, table);
        mend(&idp, table);
        let answer = client.redeem(&code, &ask.verifier).await;
        assert_eq!(answer.status, 200, "{write} {table}: {}", answer.body);
    }
    let tokens = idp.offline_tokens(&client, &holder).await;
    for (write, table) in [("INSERT", "access_tokens"), ("UPDATE", "refresh_tokens"), ("INSERT", "trail")] {
        // Within the second of the last use there is nothing to extend.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        fail(&idp, write, table);
        told_to_come_back(&client.refresh(tokens.refresh()).await, table);
        mend(&idp, table);
        assert_eq!(client.refresh(tokens.refresh()).await.status, 200, "{write} {table}");
    }
    // A code nobody could remember is not handed out either: a page says so, and the next try works.
    for table in ["codes", "grants", "trail"] {
        let ask = ask().with("prompt", "none");
        fail(&idp, "INSERT", table);
        let answer = visitor.get(&ask.target()).await;
        mend(&idp, table);
        assert_eq!(answer.status, 503, "{table}: {}", answer.body);
        assert!(answer.location().is_none() && answer.header("retry-after").is_some());
        assert!(visitor.get(&ask.target()).await.returned().unwrap().get("code").is_some(), "{table}");
    }
}
