use openssl::asn1::Asn1Integer;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509Builder, X509Name};

use super::*;

fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn named(common: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("C", "VN").unwrap();
    name.append_entry_by_text("CN", common).unwrap();
    name.build()
}

/// What a certificate under test is made of.
struct Made<'a> {
    key: &'a PKey<Private>,
    by: Option<(&'a X509, &'a PKey<Private>)>,
    is_authority: bool,
    usage: Option<ExtendedKeyUsage>,
}

fn make(made: Made<'_>) -> X509 {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(7).unwrap()).unwrap()).unwrap();
    let name = named(if made.is_authority { "Gốc" } else { "Cổng" });
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(made.by.map_or(&*name, |(issuer, _)| issuer.subject_name())).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(1_000_000_000).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(4_000_000_000).unwrap()).unwrap();
    builder.set_pubkey(made.key).unwrap();
    if made.is_authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let context = builder.x509v3_context(None, None);
        let mut other = SubjectAlternativeName::new();
        other.dns("portal.gov.vn").uri("urn:portal").ip("192.0.2.1").ip("2001:db8::1").email("it@gov.vn");
        let other = other.build(&context).unwrap();
        builder.append_extension(other).unwrap();
    }
    if let Some(usage) = made.usage {
        builder.append_extension(usage.build().unwrap()).unwrap();
    }
    let signer = made.by.map_or(made.key, |(_, key)| key);
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn sent(certificate: &X509) -> Sent {
    Sent { leaf: certificate.to_der().unwrap(), chain: vec![] }
}

fn usage(client: bool) -> Option<ExtendedKeyUsage> {
    let mut usage = ExtendedKeyUsage::new();
    if client {
        usage.client_auth()
    } else {
        usage.server_auth()
    };
    Some(usage)
}

#[test]
fn the_facts_of_a_certificate() {
    let key = p256();
    let certificate = make(Made { key: &key, by: None, is_authority: false, usage: usage(true) });
    let facts = read(&sent(&certificate), None).unwrap();
    assert_eq!(facts.thumbprint, URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.to_der().unwrap())));
    let pair = |id: &str, value: &str| vec![(id.to_owned(), value.to_owned())];
    assert_eq!(facts.subject, vec![pair("2.5.4.6", "VN"), pair("2.5.4.3", "Cổng")]);
    assert_eq!(
        (facts.dns, facts.uris, facts.emails),
        (vec!["portal.gov.vn".into()], vec!["urn:portal".into()], vec!["it@gov.vn".into()])
    );
    assert_eq!(facts.ips, ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse::<IpAddr>().unwrap()));
    assert_eq!((facts.not_before.unix(), facts.not_after.unix()), (1_000_000_000, 4_000_000_000));
    assert_eq!((facts.unfit, facts.is_issued), (None, false));
    assert_eq!(facts.jkt.unwrap().len(), 43);
}

#[test]
fn mt_04_purpose_and_strength() {
    let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let strong = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let (ec, ed) = (p256(), PKey::generate_ed25519().unwrap());
    let unfit = |key, usage| {
        read(
            &sent(&make(Made {
                key,
                by: Some((&make(Made { key: &ec, by: None, is_authority: true, usage: None }), &ec)),
                is_authority: false,
                usage,
            })),
            None,
        )
        .unwrap()
    };
    assert_eq!(unfit(&strong, usage(true)).unfit, None);
    assert_eq!(unfit(&strong, None).unfit, None);
    assert_eq!(unfit(&strong, usage(false)).unfit, Some("it is not for TLS clients"));
    assert_eq!(unfit(&weak, usage(true)).unfit, Some("its key is weak"));
    // Each kind of key a client may register has its thumbprint.
    for key in [&strong, &ec, &ed] {
        assert!(unfit(key, None).jkt.is_some());
    }
}

#[test]
fn rfc8705_2_1_who_issued_it() {
    let (root_key, other_key, key) = (p256(), p256(), p256());
    let root = make(Made { key: &root_key, by: None, is_authority: true, usage: None });
    let other = make(Made { key: &other_key, by: None, is_authority: true, usage: None });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, root.to_pem().unwrap()).unwrap();
    let authorities = Authorities::open(&path, None).unwrap();
    let issued = |by, usage| {
        let certificate = make(Made { key: &key, by, is_authority: false, usage });
        read(&sent(&certificate), Some(&authorities)).unwrap().is_issued
    };
    assert!(issued(Some((&root, &root_key)), usage(true)));
    assert!(issued(Some((&root, &root_key)), None));
    assert!(!issued(Some((&root, &root_key)), usage(false)), "not for clients");
    assert!(!issued(Some((&other, &other_key)), usage(true)), "another authority of the same name");
    assert!(!issued(Some((&root, &other_key)), usage(true)), "the name of the authority alone");
    assert!(!issued(None, usage(true)), "self-signed");
    assert!(ErrorStack::get().errors().is_empty(), "nothing is left for a connection to stumble over");
    std::fs::write(&path, "nothing").unwrap();
    assert!(Authorities::open(&path, None).is_err());
}

#[test]
fn rfc9440_2_what_a_proxy_states() {
    let certificate = make(Made { key: &p256(), by: None, is_authority: false, usage: None });
    let der = certificate.to_der().unwrap();
    let pem = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
    let escaped: String = pem.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(of_header(&format!(":{}:", STANDARD.encode(&der))), Some(der.clone()));
    assert_eq!(of_header(&escaped), Some(der.clone()));
    assert_eq!(of_header(&pem.replace('\n', "%0A")), Some(der.clone()));
    for bad in [
        "",
        ":",
        "::x",
        ":%:",
        "%",
        "%zz",
        "text",
        &format!(":{}", STANDARD.encode(&der)),
        &pem.repeat(2).replace('\n', "%0A"),
    ] {
        assert_eq!(of_header(bad), None, "{bad}");
    }
    assert!(read(&Sent { leaf: b"no certificate".to_vec(), chain: vec![] }, None).is_err());
}
