use super::*;

const FULL: &str = r#"{"person_number":"099090000001","name":"Nguyễn Văn An","birthdate":"1990-01-02","gender":"male",
 "account":{"level":2,"state":"activated","password":"VNeID#2026","phone":"+84900000001","email":"an@example.vn"},
 "eid":{"state":"locked","grounds":["a","đ"]},"card":{"expires":"2031-04-15"},"guardian":"099080000007",
 "claims":{"nickname":"An","updated_at":1700000000,"address":{"region":"Ha\u0300 Nội"},"vn_gplx":null}}"#;

fn line(text: &str) -> String {
    text.replace('\n', "")
}

fn claim<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
    record.claims.get(&ClaimName::find(name).unwrap())
}

#[test]
fn every_field_arrives_and_the_standard_claims_are_derived() {
    let records = parse(&line(FULL)).unwrap();
    let record = &records[0];
    assert_eq!(record.number.reveal(), "099090000001");
    assert_eq!((record.level, record.state), (Some(AccountLevel::Two), AccountState::Activated));
    assert_eq!(record.password.as_deref(), Some("VNeID#2026"));
    assert_eq!(record.phone.as_deref(), Some("+84900000001"));
    assert_eq!(record.eid, Some([LockGround::HolderAsks, LockGround::AuthorityAsks].into()));
    assert_eq!(record.guardian.as_ref().map(PersonNumber::reveal), Some("099080000007"));
    // 2031-04-16 00:00 in Viet Nam.
    assert_eq!(record.card_expires, Some(Moment::from_unix(1_934_038_800)));
    for (name, value) in [
        ("vn_personal_id", "099090000001".into()),
        ("name", "Nguyễn Văn An".into()),
        ("birthdate", "1990-01-02".into()),
        ("gender", "male".into()),
        ("phone_number", "+84900000001".into()),
        ("phone_number_verified", true.into()),
        ("email", "an@example.vn".into()),
        ("email_verified", true.into()),
        ("vn_eid_state", "active".into()),
        ("vn_card_expiry", "2031-04-15".into()),
        ("nickname", "An".into()),
        ("address", serde_json::json!({"region": "Hà Nội"})),
    ] {
        assert_eq!(claim(record, name), Some(&value), "{name}");
    }
    assert_eq!(claim(record, "vn_gplx"), None);
}

#[test]
fn the_least_that_is_taken_and_its_defaults() {
    let text = r#"{"person_number":"099090000001","name":"An","account":{"level":LEVEL,"state":"granted","phone":null},"eid":null}"#;
    let one = &parse(&text.replace("LEVEL", "1")).unwrap()[0];
    assert_eq!((one.eid.clone(), one.phone.clone(), one.password.clone()), (None, None, None));
    assert_eq!(one.claims.len(), 2);
    let two = &parse(&text.replace("LEVEL", "2")).unwrap()[0];
    assert_eq!(two.eid, Some(BTreeSet::new()));
}

#[test]
fn a_line_that_breaks_a_rule_is_named_with_the_rule_and_without_its_values() {
    let rows: &[(&str, &str, &str)] = &[
        ("\"099090000001\"", "\"09909000000\"", "person_number is twelve digits"),
        ("\"099090000001\"", "99090000001", "person_number is a text"),
        ("\"person_number\":\"099090000001\",", "", "person_number is required"),
        ("\"Nguyễn Văn An\"", "null", "name is required"),
        ("\"Nguyễn Văn An\"", "\" \"", "name is one line of 1 to 200 characters"),
        ("\"Nguyễn Văn An\"", "\"An\\nBình\"", "name is one line of 1 to 200 characters"),
        ("1990-01-02", "02/01/1990", "birthdate is a date as YYYY-MM-DD"),
        ("1990-01-02", "1990-1-2", "birthdate is a date as YYYY-MM-DD"),
        ("1990-01-02", "1990-02-30", "birthdate is a date as YYYY-MM-DD"),
        ("\"male\"", "\"nam\"", "gender is male or female"),
        ("\"level\":2,", "", "account.level is required"),
        ("\"level\":2", "\"level\":3", "account.level is 1 or 2"),
        ("\"level\":2", "\"level\":\"2\"", "account.level is 1 or 2"),
        ("\"state\":\"activated\",", "", "account.state is required"),
        ("activated", "locked", "account.state is granted or activated"),
        ("\"VNeID#2026\"", "\"\"", "account.password is 1 to 1024 bytes"),
        ("\"+84900000001\"", "\"0900000001\"", "account.phone is E.164, such as +849xxxxxxxx"),
        ("an@example.vn", "an at example.vn", "account.email is an email address"),
        ("\"state\":\"locked\",", "", "eid.grounds without eid.state locked"),
        (",\"grounds\":[\"a\",\"đ\"]", "", "eid.state locked needs eid.grounds (LCC Art 34)"),
        ("[\"a\",\"đ\"]", "[\"a\",\"e\"]", "eid.grounds is a list of a, b, c, d, đ"),
        ("[\"a\",\"đ\"]", "\"a\"", "eid.grounds is a list of a, b, c, d, đ"),
        ("\"level\":2", "\"level\":1", "eid comes with account.level 2 only"),
        ("2031-04-15", "soon", "card.expires is a date as YYYY-MM-DD"),
        ("099080000007", "099090000001", "guardian is the holder"),
        ("\"nickname\"", "\"alias\"", "unknown claim \"alias\""),
        ("\"nickname\":\"An\"", "\"nickname\":7", "claims.nickname is a text"),
        ("1700000000", "\"today\"", "claims.updated_at is a number"),
        ("\"nickname\"", "\"name\"", "claims.name contradicts name"),
        ("\"nickname\":\"An\"", "\"email_verified\":false", "claims.email_verified contradicts account.email"),
        ("\"gender\"", "\"sex\"", "unknown field \"sex\""),
        ("\"expires\"", "\"expiry\"", "unknown field \"card.expiry\""),
        ("\"password\"", "\"pasword\"", "unknown field \"account.pasword\""),
        ("\"claims\":{", "\"claims\":[{", "not JSON"),
        ("\"gender\":\"male\"", "\"name\":\"Bình\"", "not JSON: member \"name\" is repeated"),
    ];
    for (from, to, reason) in rows {
        let broken = line(FULL).replacen(from, to, 1);
        assert_ne!(broken, line(FULL), "{from}");
        let rejection = parse(&format!("\n{broken}\n")).err().unwrap_or_else(|| panic!("taken: {from} -> {to}"));
        assert_eq!(rejection.line, 2);
        assert!(rejection.reason.starts_with(reason), "{from} -> {to}: {}", rejection.reason);
        assert!(!rejection.reason.contains("0990900"), "{}", rejection.reason);
    }
}

#[test]
fn a_number_stands_once_in_a_file() {
    let rejection = parse(&format!("{0}\n\n{0}", line(FULL))).err().unwrap();
    assert_eq!(rejection, Rejection { line: 3, reason: "person_number is the same as on line 1".to_owned() });
}
