//! As much of CBOR as an authenticator's answer takes, read before any library sees it: whole items of definite length,
//! shallow, with nothing behind them (CTAP 2.1 §8). Anything else is refused without being built.

/// CTAP 2.1 §8: no deeper than four levels of maps and arrays; an attestation statement brings one more.
const DEEPEST: u8 = 6;

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const PLAIN: u8 = 7;

/// The first item and what follows it.
pub fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(length(bytes, DEEPEST)?)
}

/// The members of a map that is all there is, its keys texts.
pub fn map(bytes: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let (kind, count, mut rest) = head(bytes)?;
    if kind != MAP || first(bytes)?.0.len() != bytes.len() {
        return None;
    }
    let mut members = Vec::new();
    for _ in 0..count {
        let (key, after) = first(rest)?;
        let (value, after) = first(after)?;
        members.push((std::str::from_utf8(string(key, TEXT)?).ok()?, value));
        rest = after;
    }
    Some(members)
}

/// What a byte string holds.
pub fn bytes(item: &[u8]) -> Option<&[u8]> {
    string(item, BYTES)
}

/// What a text holds.
pub fn text(item: &[u8]) -> Option<&str> {
    std::str::from_utf8(string(item, TEXT)?).ok()
}

fn string(item: &[u8], wanted: u8) -> Option<&[u8]> {
    let (kind, length, rest) = head(item)?;
    (kind == wanted && usize::try_from(length) == Ok(rest.len())).then_some(rest)
}

/// RFC 8949 §3: the kind of an item, its argument, and what follows.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (kind, short) = (first >> 5, first & 31);
    let width = match short {
        0..=23 => return Some((kind, u64::from(short), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        // Indefinite lengths and what is reserved.
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(width)?;
    Some((kind, argument.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte)), rest))
}

fn length(bytes: &[u8], depth: u8) -> Option<usize> {
    let (kind, argument, rest) = head(bytes)?;
    let head = bytes.len() - rest.len();
    match kind {
        0 | 1 | PLAIN => Some(head),
        BYTES | TEXT => {
            let content = usize::try_from(argument).ok()?;
            (content <= rest.len()).then(|| head + content)
        }
        LIST | MAP => {
            let depth = depth.checked_sub(1)?;
            // Each item takes a byte at least, so a count no message can hold ends here.
            let items = usize::try_from(argument).ok()?.checked_mul(if kind == MAP { 2 } else { 1 })?;
            if items > rest.len() {
                return None;
            }
            let mut at = head;
            for _ in 0..items {
                at += length(bytes.get(at..)?, depth)?;
            }
            Some(at)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc8949_a_map_of_texts_is_read() {
        // {"fmt": "none", "authData": h'0102', "n": [1, -1, true]}
        let mut encoded = vec![0xa3, 0x63];
        encoded.extend(b"fmt\x64none\x68authData\x42\x01\x02\x61n\x83\x01\x20\xf5");
        let members = map(&encoded).unwrap();
        assert_eq!(members.len(), 3);
        assert_eq!((members[0].0, text(members[0].1)), ("fmt", Some("none")));
        assert_eq!((members[1].0, bytes(members[1].1)), ("authData", Some(&[1, 2][..])));
        assert_eq!((text(members[1].1), bytes(members[0].1)), (None, None));
        encoded.push(0);
        assert!(map(&encoded).is_none(), "something follows");
    }

    #[test]
    fn lg_28_bombs_are_refused_by_their_heads() {
        let deep = |depth: usize| [vec![0x81; depth], vec![0x01]].concat();
        assert!(first(&deep(5)).is_some());
        assert!(first(&deep(10_000)).is_none());
        for length in [[0x9a, 0xff, 0xff, 0xff, 0xff], [0xba, 0xff, 0xff, 0xff, 0xff], [0x5a, 0xff, 0xff, 0xff, 0xff]] {
            assert!(first(&length).is_none());
        }
        assert!(first(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_none());
        // Indefinite lengths, tags, what is reserved, what is cut off.
        for bad in [&[0x9f, 0x01, 0xff][..], &[0xc0, 0x01], &[0x1c], &[0x19, 0x01], &[0x42, 0x01], &[]] {
            assert!(first(bad).is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_more_is_taken_than_there_is(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some((item, rest)) = first(&input) {
                prop_assert_eq!(item.len() + rest.len(), input.len());
                prop_assert!(!item.is_empty());
            }
            let _ = map(&input);
        }
    }
}
