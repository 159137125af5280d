//! What clients sign under load, made before a run so that signing costs nobody anything while it is measured.
//!
//!   proofs key FILE                               a new P-256 key into FILE (PEM); prints its public JWK
//!   proofs assertions FILE CLIENT AUDIENCE COUNT  client assertions (RFC 7523), one a line, each with its own `jti`
//!   proofs dpop URL COUNT                         DPoP proofs (RFC 9449) for POST to URL by one new key
//!   proofs speed                                  what one P-256 signature and one verification cost here, as JSON

use std::error::Error;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::Private;
use openssl::sha::sha256;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["key", file] => {
            let key = new_key()?;
            std::fs::write(file, key.private_key_to_pem()?)?;
            println!("{}", public_jwk(&key, &[("use", "sig"), ("alg", "ES256"), ("kid", "load")])?);
            Ok(())
        }
        ["assertions", file, client, audience, count] => {
            let key = EcKey::private_key_from_pem(&std::fs::read(file)?)?;
            let (now, run) = moment()?;
            let header = json!({"alg": "ES256", "kid": "load", "typ": "JWT"});
            pool(
                &key,
                &header,
                count.parse()?,
                |n| json!({"iss": client, "sub": client, "aud": audience, "jti": format!("{run}-{n}"), "iat": now, "exp": now + 240}),
            )
        }
        ["dpop", url, count] => {
            let key = new_key()?;
            let (now, run) = moment()?;
            let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": public_jwk(&key, &[])?});
            pool(
                &key,
                &header,
                count.parse()?,
                |n| json!({"jti": format!("{run}-{n}"), "htm": "POST", "htu": url, "iat": now}),
            )
        }
        ["speed"] => speed(),
        _ => Err("proofs key FILE | assertions FILE CLIENT AUDIENCE COUNT | dpop URL COUNT | speed".into()),
    }
}

/// Now in seconds, and a name no other pool of this machine has.
fn moment() -> Outcome<(u64, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok((now.as_secs(), format!("{:x}", now.as_nanos())))
}

fn pool(key: &EcKey<Private>, header: &Value, count: u64, claims: impl Fn(u64) -> Value) -> Outcome<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    for n in 0..count {
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims(n).to_string()));
        let signature = EcdsaSig::sign(&sha256(signed.as_bytes()), key)?;
        let mut raw = signature.r().to_vec_padded(32)?;
        raw.extend(signature.s().to_vec_padded(32)?);
        writeln!(out, "{signed}.{}", URL_SAFE_NO_PAD.encode(raw))?;
    }
    Ok(out.flush()?)
}

fn new_key() -> Outcome<EcKey<Private>> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    Ok(EcKey::generate(&group)?)
}

fn public_jwk(key: &EcKey<Private>, more: &[(&str, &str)]) -> Outcome<Value> {
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
    let member = |n: &BigNum| n.to_vec_padded(32).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let coordinates = [("x", member(&x)?), ("y", member(&y)?)];
    let plain = [("kty", "EC"), ("crv", "P-256")].iter().chain(more).map(|(name, value)| (*name, (*value).to_owned()));
    Ok(plain.chain(coordinates).collect())
}

/// With the library the provider itself is linked to.
fn speed() -> Outcome<()> {
    let key = new_key()?;
    let digest = sha256(b"load");
    let signature = EcdsaSig::sign(&digest, &key)?;
    let sign = microseconds(|| Ok(EcdsaSig::sign(&digest, &key)?))?;
    let verify = microseconds(|| Ok(signature.verify(&digest, &key)?))?;
    println!("{}", json!({"sign_us": sign, "verify_us": verify}));
    Ok(())
}

/// The median of nine rounds of a tenth of a second.
fn microseconds<T>(mut act: impl FnMut() -> Outcome<T>) -> Outcome<f64> {
    let mut rounds = Vec::new();
    for _ in 0..9 {
        let (begun, before, mut times) = (Instant::now(), busy()?, 0_u32);
        while begun.elapsed() < Duration::from_millis(100) {
            black_box(act()?);
            times += 1;
        }
        rounds.push((busy()? - before).as_secs_f64() * 1e6 / f64::from(times));
    }
    rounds.sort_by(f64::total_cmp);
    rounds.get(4).copied().ok_or_else(|| "no rounds".into())
}

/// What this thread spent on a core, which is what the provider's answers are measured by, too.
fn busy() -> Outcome<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let spent = told.split(' ').next().unwrap_or_default();
    Ok(Duration::from_nanos(spent.parse()?))
}
