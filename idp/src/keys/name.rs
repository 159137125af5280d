//! Distinguished names as a certificate holds them (RFC 5280 §4.1.2.4): sets of attributes in DER, read without OpenSSL's
//! flat list, which loses which attributes stand together.

use crate::domain::certificate::{Attribute, DistinguishedName};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The name; `None` for what is no name.
pub(super) fn read(der: &[u8]) -> Option<DistinguishedName> {
    let (SEQUENCE, mut sets, []) = element(der)? else { return None };
    let mut name = Vec::new();
    while !sets.is_empty() {
        let (SET, mut members, rest) = element(sets)? else { return None };
        sets = rest;
        let mut attributes = Vec::new();
        while !members.is_empty() {
            let (SEQUENCE, pair, rest) = element(members)? else { return None };
            members = rest;
            attributes.push(attribute(pair)?);
        }
        name.push(attributes);
    }
    Some(name)
}

fn attribute(pair: &[u8]) -> Option<Attribute> {
    let (OBJECT_IDENTIFIER, id, value) = element(pair)? else { return None };
    let (tag, content, []) = element(value)? else { return None };
    Some((dotted(id)?, text(tag, content).unwrap_or_else(|| hexadecimal(value))))
}

/// The tag, the content and what follows. Lengths of up to two bytes: no name is longer.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (bytes, rest) = rest.split_at_checked(2)?;
            (usize::from(u16::from_be_bytes(bytes.try_into().ok()?)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// X.690 §8.19: base 128, the first two arcs in one number.
fn dotted(bytes: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: u64 = 0;
    for byte in bytes {
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let (first, rest) = arcs.split_first()?;
    let top = (*first / 40).min(2);
    let dotted: Vec<String> = [top, first - top * 40].iter().chain(rest).map(u64::to_string).collect();
    Some(dotted.join("."))
}

/// The kinds of string a name may be written in.
fn text(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, NumericString, PrintableString, IA5String.
        0x0c | 0x12 | 0x13 | 0x16 => String::from_utf8(content.to_vec()).ok(),
        // TeletexString, as everybody writes it: Latin-1.
        0x14 => Some(content.iter().copied().map(char::from).collect()),
        // BMPString.
        0x1e => {
            let units: Option<Vec<u16>> =
                content.chunks(2).map(|pair| pair.try_into().ok().map(u16::from_be_bytes)).collect();
            String::from_utf16(&units?).ok()
        }
        _ => None,
    }
}

/// RFC 4514 §2.4: what is no string is written as its encoding.
fn hexadecimal(der: &[u8]) -> String {
    use std::fmt::Write;
    der.iter().fold(String::from("#"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc5280_4_1_2_4_a_name() {
        // CN (UTF8String) + serialNumber (PrintableString) in one set, after C.
        let der = [
            &[0x30, 0x2a][..],
            &[0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, b'V', b'N'],
            &[0x31, 0x1b],
            &[0x30, 0x0c, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x05, 0xe1, 0xbb, 0x99, b' ', b'b'],
            &[0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x05, 0x13, 0x04, b'1', b'2', b'3', b'4'],
        ]
        .concat();
        let pair = |id: &str, value: &str| (id.to_owned(), value.to_owned());
        let name = vec![vec![pair("2.5.4.6", "VN")], vec![pair("2.5.4.3", "ộ b"), pair("2.5.4.5", "1234")]];
        assert_eq!(read(&der), Some(name));
        assert_eq!(read(&[0x30, 0x00]), Some(vec![]));
        for cut in 1..der.len() {
            assert_eq!(read(&der[..cut]), None, "{cut}");
        }
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]).unwrap(), "1.2.840.113549.1.9.1");
        assert_eq!(dotted(&[0x88, 0x37, 0x03]).unwrap(), "2.999.3");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(der in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&der);
        }
    }
}
