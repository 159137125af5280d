//! Distinguished names as text (RFC 4514), and when two are the same (RFC 5280 §7.1, RFC 4517 §4.2.15).

use crate::domain::certificate::{Attribute, DistinguishedName};

/// Types a name may be written with (RFC 4514 §3, RFC 4519, RFC 2985, X.520), in lower case.
const TYPES: &[(&str, &str)] = &[
    ("cn", "2.5.4.3"),
    ("sn", "2.5.4.4"),
    ("serialnumber", "2.5.4.5"),
    ("c", "2.5.4.6"),
    ("l", "2.5.4.7"),
    ("st", "2.5.4.8"),
    ("street", "2.5.4.9"),
    ("o", "2.5.4.10"),
    ("ou", "2.5.4.11"),
    ("title", "2.5.4.12"),
    ("businesscategory", "2.5.4.15"),
    ("postalcode", "2.5.4.17"),
    ("givenname", "2.5.4.42"),
    ("organizationidentifier", "2.5.4.97"),
    ("uid", "0.9.2342.19200300.100.1.1"),
    ("dc", "0.9.2342.19200300.100.1.25"),
    ("emailaddress", "1.2.840.113549.1.9.1"),
    ("jurisdictionc", "1.3.6.1.4.1.311.60.2.1.3"),
];

/// Reads a name as RFC 4514 §3 writes it: the most special part first. Spaces around separators are forgiven, as RFC
/// 2253 §4 asks.
pub fn parse(text: &str) -> Result<DistinguishedName, &'static str> {
    let mut name: DistinguishedName = Vec::new();
    for part in split(text, ',')? {
        let mut set = Vec::new();
        for pair in split(part, '+')? {
            set.push(attribute(pair)?);
        }
        name.push(set);
    }
    // RFC 4514 §2.1: written in reverse.
    name.reverse();
    Ok(name)
}

/// Whether two names are the same: the same sets in the same order, each in any order, values without regard to case and
/// runs of spaces.
pub fn is_same(one: &DistinguishedName, other: &DistinguishedName) -> bool {
    let folded = |set: &Vec<Attribute>| {
        let mut set: Vec<Attribute> = set.iter().map(|(kind, value)| (kind.clone(), fold(value))).collect();
        set.sort_unstable();
        set
    };
    // An empty subject names nobody.
    !one.is_empty()
        && one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| folded(one) == folded(other))
}

fn fold(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The parts between separators that are neither escaped nor quoted.
fn split(text: &str, separator: char) -> Result<Vec<&str>, &'static str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next().ok_or("ends in an escape")?),
            '"' => quoted = !quoted,
            found if found == separator && !quoted => {
                parts.push(text.get(start..at).ok_or("is not text")?);
                start = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    if quoted {
        return Err("has an open quote");
    }
    parts.push(text.get(start..).ok_or("is not text")?);
    Ok(parts)
}

fn attribute(pair: &str) -> Result<Attribute, &'static str> {
    let (kind, value) = pair.split_once('=').ok_or("has a part without a value")?;
    let kind = kind.trim().to_ascii_lowercase();
    let kind = kind.strip_prefix("oid.").unwrap_or(&kind);
    let is_dotted =
        kind.contains('.') && kind.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()));
    let known = TYPES.iter().find(|(name, _)| *name == kind).map(|(_, id)| *id);
    let kind = known.or(is_dotted.then_some(kind)).ok_or("has a type of attribute that is not known")?;
    let value = value.trim_start();
    let value = match value.strip_prefix('#') {
        Some(encoded) => encoded_value(encoded.trim_end())?,
        None => unescape(value)?,
    };
    if value.is_empty() { Err("has an empty value") } else { Ok((kind.to_owned(), value)) }
}

/// RFC 4514 §2.4: a value by its encoding; a short string is read, anything else is compared as it stands.
fn encoded_value(digits: &str) -> Result<String, &'static str> {
    let bytes = bytes_of(digits).ok_or("has a value that is not hexadecimal")?;
    match bytes.as_slice() {
        [0x0c | 0x13 | 0x16, length, content @ ..] if usize::from(*length) == content.len() && *length < 0x80 => {
            String::from_utf8(content.to_vec()).map_err(|_| "has a value that is not text")
        }
        _ => Ok(format!("#{}", digits.to_ascii_lowercase())),
    }
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    });
    pairs
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| !bytes.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// RFC 4514 §3: `\` before a special character or two hexadecimal digits, and RFC 2253 quotes.
fn unescape(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::new();
    let mut kept = 0;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let next = letters.next().ok_or("ends in an escape")?;
                if next.is_ascii_hexdigit() {
                    let low = letters.next().filter(char::is_ascii_hexdigit).ok_or("has a bad escape")?;
                    bytes.push(u8::from_str_radix(&format!("{next}{low}"), 16).map_err(|_| "has a bad escape")?);
                } else if " \"#+,;<=>\\".contains(next) {
                    push(&mut bytes, next);
                } else {
                    return Err("has a bad escape");
                }
                kept = bytes.len();
            }
            '"' => kept = bytes.len(),
            ';' | '<' | '>' | '\0' => return Err("has a character that must be escaped"),
            letter => push(&mut bytes, letter),
        }
    }
    // Spaces at the end count only when they were escaped.
    while bytes.len() > kept && bytes.last() == Some(&b' ') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| "has a value that is not text")
}

fn push(bytes: &mut Vec<u8>, letter: char) {
    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(one: &str, other: &str) -> bool {
        is_same(&parse(one).unwrap(), &parse(other).unwrap())
    }

    #[test]
    fn rfc4514_3_ways_of_writing_one_name() {
        let name = "CN=Cổng dịch vụ,OU=a+ST=b,O=Bộ\\, Ban,C=VN";
        for other in [
            name,
            "cn=Cổng dịch vụ, ou=a + st=b, o=Bộ\\, Ban, c=VN",
            "CN=cổng  DỊCH vụ,ST=b+OU=a,O=\"Bộ, Ban\",C=vn",
            "2.5.4.3=Cổng dịch vụ,OID.2.5.4.11=a+2.5.4.8=b,O=B\\E1\\BB\\99\\2C Ban,C=#1302564E",
        ] {
            assert!(same(name, other), "{other}");
        }
        for other in [
            "CN=Cổng dịch vụ,OU=a+ST=b,O=Bộ\\, Ban",
            "C=VN,O=Bộ\\, Ban,OU=a+ST=b,CN=Cổng dịch vụ",
            "CN=Cổng dịch vụ,OU=a,ST=b,O=Bộ\\, Ban,C=VN",
            "CN=Cong dich vu,OU=a+ST=b,O=Bộ\\, Ban,C=VN",
            "CN=Cổng dịch vụ,OU=a+ST=b,O=Bộ,C=VN",
        ] {
            assert!(!same(name, other), "{other}");
        }
        assert!(!is_same(&vec![], &vec![]), "an empty subject names nobody");
        assert!(same("emailAddress=a@b.vn", "1.2.840.113549.1.9.1=#16066140622E766E"));
        assert!(same("1.2.3=#0201FF", "1.2.3=#0201ff") && !same("1.2.3=#0201FF", "1.2.3=#0201FE"));
        assert!(same("CN=a\\ ", "CN=a") && same("CN=\\20a", "CN=a") && !same("CN=a\\+OU\\=b", "CN=a+OU=b"));
    }

    #[test]
    fn rfc4514_3_what_is_no_name() {
        for bad in [
            "", "CN", "CN=", "CN=a,", ",CN=a", "XX=a", "CN=a\\", "CN=a\\x", "CN=\"a", "CN=a;b", "CN=#zz", "CN=#1",
            "1..2=a", "=a", "CN=\\ff",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_value_escaped_is_read_back(value in "[^\\s\\p{Cc}][^\\p{Cc}]{0,20}[^\\s\\p{Cc}]") {
            let escaped: String = value
                .chars()
                .flat_map(|c| if " \"#+,;<=>\\".contains(c) { vec!['\\', c] } else { vec![c] })
                .collect();
            prop_assert_eq!(parse(&format!("CN={escaped}")), Ok(vec![vec![("2.5.4.3".to_owned(), value)]]));
        }

        #[test]
        fn no_text_breaks_it_and_every_name_is_itself(text in "([A-Z]{1,2}=)?.{0,40}") {
            if let Ok(name) = parse(&text) {
                prop_assert!(is_same(&name, &name));
            }
        }
    }
}
