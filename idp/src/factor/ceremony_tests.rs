use proptest::prelude::*;
use serde_json::json;

use super::*;

const ORIGIN: &str = "https://id.example.vn";

fn said(change: impl FnOnce(&mut Value)) -> Result<(), Refused> {
    let mut data = json!({"type": "webauthn.get", "challenge": "AAAA", "origin": ORIGIN, "crossOrigin": false});
    change(&mut data);
    client_data(data.to_string().as_bytes(), Kind::Get, ORIGIN)
}

#[test]
fn lg_22_only_our_own_page_in_no_frame() {
    assert_eq!(said(|_| {}), Ok(()));
    assert_eq!(said(|data| drop(data.as_object_mut().unwrap().remove("crossOrigin"))), Ok(()));
    assert_eq!(said(|data| data["newer"] = json!({"member": 1})), Ok(()), "unknown members are no fault");
    for origin in [
        "https://id.example.vn:8443",
        "https://www.id.example.vn",
        "https://example.vn",
        "http://id.example.vn",
        "https://ID.example.vn",
        "https://id.example.vn/",
        "https://id.example.vn.evil.vn",
        "null",
        "",
    ] {
        assert_eq!(said(|data| data["origin"] = json!(origin)), Err(Refused("origin")), "{origin}");
    }
    for cross in [json!(true), json!("false"), json!(0)] {
        assert_eq!(said(|data| data["crossOrigin"] = cross), Err(Refused("cross_origin")));
    }
    for top in [json!("https://evil.vn"), json!(ORIGIN), json!("")] {
        assert_eq!(said(|data| data["topOrigin"] = top), Err(Refused("top_origin")));
    }
    assert_eq!(said(|data| data["type"] = json!("webauthn.create")), Err(Refused("type")));
    for broken in ["", "{}", "[]", "{\"type\":1}", "\u{feff}{}"] {
        assert_eq!(client_data(broken.as_bytes(), Kind::Get, ORIGIN), Err(Refused("client_data")));
    }
}

fn data(flags: u8, tail: &[u8]) -> Vec<u8> {
    [&[7; 32][..], &[flags], &[0, 0, 1, 2], tail].concat()
}

fn credential(length: u16, key: &[u8]) -> Vec<u8> {
    [&[0; 16][..], &length.to_be_bytes(), &vec![9; usize::from(length)], key].concat()
}

#[test]
fn every_byte_of_authenticator_data_is_accounted_for() {
    let read = |bytes: &[u8], kind| AuthenticatorData::parse(bytes, kind).map(|data| data.sign_count);
    assert_eq!(read(&data(0x05, &[]), Kind::Get), Ok(258));
    assert_eq!(read(&data(0x85, &[0xa0]), Kind::Get), Ok(258));
    for (flags, tail) in [(0x05, &[0][..]), (0x85, &[0xa0, 0]), (0x05, &[0xa0])] {
        assert_eq!(read(&data(flags, tail), Kind::Get), Err(Refused("trailing_bytes")));
    }
    assert_eq!(read(&data(0x85, &[]), Kind::Get), Err(Refused("auth_data")), "extensions announced and absent");
    assert_eq!(read(&data(0x05, &[])[..36], Kind::Get), Err(Refused("auth_data")));
    // §6.1: a new key comes with a registration and with nothing else.
    let made = data(0x45, &credential(32, &[0xa0]));
    assert_eq!(read(&made, Kind::Create), Ok(258));
    assert_eq!(read(&made, Kind::Get), Err(Refused("auth_data")));
    assert_eq!(read(&data(0x05, &[]), Kind::Create), Err(Refused("auth_data")));
    assert_eq!(read(&data(0x45, &credential(32, &[0xa0, 0])), Kind::Create), Err(Refused("trailing_bytes")));
}

#[test]
fn lg_28_a_credential_id_has_its_bounds() {
    for (length, expected) in [(16, true), (1023, true), (15, false), (0, false), (1024, false), (65_535, false)] {
        let bytes = data(0x45, &credential(length, &[0xa0]));
        let read = AuthenticatorData::parse(&bytes, Kind::Create);
        assert_eq!(read.is_ok(), expected, "{length}");
        assert_eq!(read.ok().and_then(|data| data.credential).map(<[u8]>::len), expected.then_some(length.into()));
    }
    let mut cut = data(0x45, &credential(64, &[0xa0]));
    cut.truncate(60);
    assert_eq!(AuthenticatorData::parse(&cut, Kind::Create), Err(Refused("auth_data")));
}

#[test]
fn nothing_is_backed_up_that_cannot_be() {
    let flags =
        |flags| AuthenticatorData::parse(&data(flags, &[]), Kind::Get).map(|data| (data.synced(), data.backed_up()));
    assert_eq!(flags(0x05), Ok((false, false)));
    assert_eq!(flags(0x0d), Ok((true, false)));
    assert_eq!(flags(0x1d), Ok((true, true)));
    assert_eq!(flags(0x15), Err(Refused("backup_state")));
}

#[test]
fn lg_28_only_known_formats() {
    let object = |fmt: &str, more: &[u8]| {
        let count = if more.is_empty() { 0xa3 } else { 0xa4 };
        let length = 0x60 + u8::try_from(fmt.len()).unwrap();
        [&[count, 0x63][..], b"fmt", &[length], fmt.as_bytes(), b"\x67attStmt\xa0\x68authData\x41\x07", more].concat()
    };
    for fmt in ["none", "packed"] {
        assert_eq!(attestation(&object(fmt, &[])), Ok(&[7][..]));
    }
    for fmt in ["tpm", "android-key", "fido-u2f", "NONE", "other", ""] {
        assert_eq!(attestation(&object(fmt, &[])), Err(Refused("attestation_format")), "{fmt}");
    }
    assert_eq!(attestation(&object("none", b"\x61x\x01")), Err(Refused("attestation_object")));
    assert_eq!(attestation(&[object("none", &[]), vec![0]].concat()), Err(Refused("attestation_object")));
}

#[test]
fn an_id_is_written_one_way() {
    let raw = [1, 2, 3, 255];
    assert_eq!(same_id(&text_of(&raw), &raw, "public-key"), Ok(()));
    for (id, kind) in [("AQID_w==", "public-key"), ("AQID/w", "public-key"), ("AQID_w", "password"), ("", "public-key")]
    {
        assert_eq!(same_id(id, &raw, kind), Err(Refused("credential_id")), "{id} {kind}");
    }
    assert!(same_id(&text_of(&[1; 1024]), &[1; 1024], "public-key").is_err());
}

proptest! {
    #[test]
    fn nothing_an_authenticator_sends_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for kind in [Kind::Create, Kind::Get] {
            let _ = AuthenticatorData::parse(&bytes, kind);
            let _ = client_data(&bytes, kind, ORIGIN);
        }
        let _ = attestation(&bytes);
    }
}
