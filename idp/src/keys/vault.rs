//! The keys directory: three secrets of 256 bits that never enter the database.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{ROOM, seal};
use crate::domain::Fault;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::random::Random;

const FILES: [&str; 3] = ["master", "blind-index", "pepper"];

/// Operators make keys with tools that pad, too.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secrets at rest. Cheap to clone; never prints itself.
#[derive(Clone)]
pub struct Vault(Arc<Secrets>);

struct Secrets {
    master: [u8; 32],
    blind_index: [u8; 32],
    pepper: [u8; 32],
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.master.zeroize();
        self.blind_index.zeroize();
        self.pepper.zeroize();
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

impl Vault {
    /// Opens the directory, making it and its files when none of them is there. A directory with only some of the
    /// files is refused: a lost key must not be replaced by a fresh one in silence.
    pub fn at(directory: &Path, random: &dyn Random) -> Result<Vault, Fault> {
        let broken = |what: String| Fault::broken(ROOM, format!("{}: {what}", directory.display()));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| broken(error.to_string()))?;
        let mode = std::fs::metadata(directory).map_err(|error| broken(error.to_string()))?.permissions().mode();
        // The sticky bit keeps others from replacing files, as on a mounted Kubernetes secret.
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Err(broken("others may write into it".to_owned()));
        }
        if FILES.iter().all(|name| !directory.join(name).exists()) {
            for name in FILES {
                let mut key = [0; 32];
                random.fill(&mut key)?;
                create(&directory.join(name), key).map_err(|error| broken(format!("{name}: {error}")))?;
            }
        }
        let [master, blind_index, pepper] = FILES.map(|name| read(&directory.join(name)));
        let named = |name: &'static str| move |reason: String| broken(format!("{name}: {reason}"));
        Ok(Vault(Arc::new(Secrets {
            master: master.map_err(named("master"))?,
            blind_index: blind_index.map_err(named("blind-index"))?,
            pepper: pepper.map_err(named("pepper"))?,
        })))
    }

    /// Encrypts a value for one place (`table.column`) and row; it opens nowhere else.
    pub fn seal(&self, place: &str, row: &str, plain: &[u8]) -> Result<Sealed, Fault> {
        seal::seal(&self.0.master, place, row, plain)
    }

    pub fn open(&self, place: &str, row: &str, sealed: &Sealed) -> Result<Vec<u8>, Fault> {
        seal::open(&self.0.master, place, row, sealed)
    }

    /// `open` for values that are text.
    pub fn open_text(&self, place: &str, row: &str, sealed: &Sealed) -> Result<String, Fault> {
        let plain = self.open(place, row, sealed)?;
        String::from_utf8(plain).map_err(|_| Fault::broken(ROOM, format!("{place} of {row} is not text")))
    }

    /// By what a sealed identifier of a kind (`person`, `phone`) is found. The text is the identifier's one
    /// normal form.
    pub fn blind_index(&self, kind: &str, text: &str) -> BlindIndex {
        BlindIndex::from_text(URL_SAFE_NO_PAD.encode(mac(&self.0.blind_index, &[kind, text])))
    }

    /// Mixed into every password before it is hashed.
    pub fn pepper(&self) -> &[u8] {
        &self.0.pepper
    }

    /// Tells one set of keys from another without telling the keys: kept in the store, so that a start with the
    /// wrong directory is refused (`security.md` ST-08).
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for secret in [&self.0.master, &self.0.blind_index, &self.0.pepper] {
            digest.update(mac(secret, &["fingerprint"]));
        }
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }

    /// What a form carries to show that our page, in this browser, sent it.
    pub fn form_token(&self, browser: &str, place: &str) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.0.master, &["form", browser, place]))
    }

    /// A value that only a holder of these keys can make, the same on every node. The kind keeps uses apart.
    pub fn seal_of(&self, kind: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.0.master, &["value", kind, text]))
    }

    /// Whether a presented value is the one these keys make, in time that tells nothing.
    pub fn knows_seal(&self, kind: &str, text: &str, presented: &str) -> bool {
        self.seal_of(kind, text).as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// Whether a presented form token is the right one, in time that tells nothing.
    pub fn knows_form_token(&self, browser: &str, place: &str, presented: &str) -> bool {
        self.form_token(browser, place).as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

/// HMAC-SHA256 over parts, each preceded by its length, so that no two lists of parts are the same message.
pub(super) fn mac(key: &[u8; 32], parts: &[&str]) -> [u8; 32] {
    // RFC 2104 §2: a key shorter than the block is filled up with zeros.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// Writes a fresh key. Another process that was first keeps its own.
fn create(path: &Path, mut key: [u8; 32]) -> std::io::Result<()> {
    let mut text = format!("{}\n", URL_SAFE_NO_PAD.encode(key));
    key.zeroize();
    let written = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    text.zeroize();
    written?;
    // The name must survive a power cut as surely as the bytes: what is sealed with a lost key stays sealed.
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Reads a key. One that is missing or empty is waited for a moment: another process may be making it.
fn read(path: &Path) -> Result<[u8; 32], String> {
    let mut waits = 10;
    loop {
        match read_once(path) {
            Ok(Some(key)) => return Ok(key),
            Ok(None) if waits == 0 => return Err("is missing or empty; restore it from the backup".to_owned()),
            Ok(None) => waits -= 1,
            Err(reason) => return Err(reason),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read_once(path: &Path) -> Result<Option<[u8; 32]>, String> {
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    // ASVS 13.3: a secret that every user of the machine may read is none.
    if mode & 0o007 != 0 {
        return Err(format!("has mode {:o}; others must have no access", mode & 0o777));
    }
    let mut text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let spelled = text.trim().replace('+', "-").replace('/', "_");
    text.zeroize();
    if spelled.is_empty() {
        return Ok(None);
    }
    let mut decoded = LENIENT.decode(&spelled).map_err(|_| "is not base64".to_owned())?;
    let key = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| "is not 32 bytes".to_owned());
    decoded.zeroize();
    key.map(Some)
}
