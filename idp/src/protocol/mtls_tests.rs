use super::*;
use crate::protocol::fixtures::{self, at};

fn certificate() -> ClientCertificate {
    ClientCertificate {
        thumbprint: "t".to_owned(),
        subject: name::parse("CN=portal,O=Bộ,C=VN").unwrap(),
        dns: vec!["portal.gov.vn".to_owned()],
        uris: vec!["urn:portal".to_owned()],
        ips: vec![IpAddr::from([192, 0, 2, 1])],
        emails: vec!["It@gov.vn".to_owned()],
        jkt: Some("key".to_owned()),
        not_before: at(1000),
        not_after: at(2000),
        unfit: None,
        is_issued: true,
    }
}

fn client(method: AuthMethod, binding: Binding) -> Client {
    Client { token_endpoint_auth_method: method, binding, ..fixtures::client("rp", "openid") }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn rfc8705_2_1_2_one_way_of_naming_the_subject() {
    let none = Binding::default;
    for (binding, good) in [
        (Binding { tls_client_auth_subject_dn: text("cn=Portal, o=Bộ, c=VN"), ..none() }, true),
        (Binding { tls_client_auth_subject_dn: text("C=VN,O=Bộ,CN=portal"), ..none() }, false),
        (Binding { tls_client_auth_subject_dn: text("CN=portal"), ..none() }, false),
        (Binding { tls_client_auth_san_dns: text("Portal.gov.vn"), ..none() }, true),
        (Binding { tls_client_auth_san_dns: text("gov.vn"), ..none() }, false),
        (Binding { tls_client_auth_san_dns: text("*.gov.vn"), ..none() }, false),
        (Binding { tls_client_auth_san_uri: text("urn:portal"), ..none() }, true),
        (Binding { tls_client_auth_san_uri: text("urn:Portal"), ..none() }, false),
        (Binding { tls_client_auth_san_ip: text("192.0.2.1"), ..none() }, true),
        (Binding { tls_client_auth_san_ip: text("192.0.2.2"), ..none() }, false),
        (Binding { tls_client_auth_san_ip: text("::ffff:192.0.2.1"), ..none() }, false),
        (Binding { tls_client_auth_san_email: text("It@GOV.vn"), ..none() }, true),
        (Binding { tls_client_auth_san_email: text("it@gov.vn"), ..none() }, false),
        (none(), false),
    ] {
        let client = client(AuthMethod::TlsClientAuth, binding);
        assert_eq!(authenticates(&client, Some(&certificate()), &[], at(1500)).is_ok(), good, "{:?}", client.binding);
        // MT-02: what nobody issued does not count, however it calls itself.
        let own = ClientCertificate { is_issued: false, ..certificate() };
        assert!(authenticates(&client, Some(&own), &["key".to_owned()], at(1500)).is_err());
    }
}

#[test]
fn mt_01_mt_02_mt_04_which_certificates_count() {
    let client = client(AuthMethod::SelfSignedTlsClientAuth, Binding::default());
    let registered = ["other".to_owned(), "key".to_owned()];
    let own = || ClientCertificate { is_issued: false, ..certificate() };
    let rows: Vec<(&str, Option<ClientCertificate>, i64, bool)> = vec![
        ("control", Some(own()), 1500, true),
        ("issued by somebody", Some(certificate()), 1500, true),
        ("mt_01 none", None, 1500, false),
        ("mt_04 at the first second", Some(own()), 1000, true),
        ("mt_04 not valid yet", Some(own()), 999, false),
        ("mt_04 at the last second", Some(own()), 2000, true),
        ("mt_04 expired", Some(own()), 2001, false),
        ("mt_04 unfit", Some(ClientCertificate { unfit: Some("x"), ..own() }), 1500, false),
        ("mt_02 another key", Some(ClientCertificate { jkt: text("third"), ..own() }), 1500, false),
        ("a key of another kind", Some(ClientCertificate { jkt: None, ..own() }), 1500, false),
        // MT-08
        ("renewed under the same key", Some(ClientCertificate { thumbprint: "u".to_owned(), ..own() }), 1500, true),
    ];
    for (name, shown, now, good) in rows {
        assert_eq!(authenticates(&client, shown.as_ref(), &registered, at(now)).is_ok(), good, "{name}");
    }
    let by_secret = Client { token_endpoint_auth_method: AuthMethod::ClientSecretBasic, ..client };
    assert!(authenticates(&by_secret, Some(&own()), &registered, at(1500)).is_err());
}
