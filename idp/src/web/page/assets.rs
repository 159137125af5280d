//! The few files pages refer to. Each carries a digest of its content in its name, so that it may be cached for
//! ever and a new release is seen at once.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub struct Asset {
    /// `/assets/style.<digest>.css`
    pub path: String,
    pub content_type: &'static str,
    pub body: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, body: &'static str) -> Asset {
        let digest: String = URL_SAFE_NO_PAD.encode(Sha256::digest(body)).chars().take(16).collect();
        Asset { path: format!("/assets/{stem}.{digest}.{extension}"), content_type, body }
    }
}

pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_str!("../assets/style.css")));

pub static MARK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mark", "svg", "image/svg+xml", include_str!("../assets/mark.svg")));

/// Presses the button of the form-post page where scripts run.
pub static FORM_POST: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("form-post", "js", "text/javascript; charset=utf-8", include_str!("../assets/form-post.js"))
});

/// Goes on from the signed-out page when every frame of it has loaded.
pub static SIGNED_OUT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("signed-out", "js", "text/javascript; charset=utf-8", include_str!("../assets/signed-out.js"))
});

/// Asks what became of a QR code.
pub static QR: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("qr", "js", "text/javascript; charset=utf-8", include_str!("../assets/qr.js")));

/// Answers clients' pages whether the browser's session changed.
pub static CHECK_SESSION: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("check-session", "js", "text/javascript; charset=utf-8", include_str!("../assets/check-session.js"))
});

/// Hands a passkey's challenge to the browser and posts its answer.
pub static PASSKEY: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("passkey", "js", "text/javascript; charset=utf-8", include_str!("../assets/passkey.js"))
});

/// The asset served at a path.
pub fn find(path: &str) -> Option<&'static Asset> {
    let all: [&'static Asset; 7] = [&STYLE, &MARK, &FORM_POST, &SIGNED_OUT, &CHECK_SESSION, &PASSKEY, &QR];
    all.into_iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_by_its_exact_name_only() {
        assert!(find(&STYLE.path).is_some_and(|asset| asset.content_type.starts_with("text/css")));
        assert!(find("/assets/style.css").is_none());
        assert!(find("/assets/../style.css").is_none());
    }

    #[test]
    fn scripts_run_in_old_browsers() {
        for asset in [&*FORM_POST, &*SIGNED_OUT, &*CHECK_SESSION, &*QR] {
            for newer in ["=>", "const ", "let ", "await", "async", "class ", "`", "Promise", "fetch(", "crypto"] {
                assert!(!asset.body.contains(newer), "{newer} in {}", asset.path);
            }
        }
    }

    #[test]
    fn assets_refer_to_nothing_outside() {
        for asset in [&*STYLE, &*FORM_POST, &*SIGNED_OUT, &*CHECK_SESSION, &*PASSKEY, &*QR] {
            assert!(!asset.body.contains("http") && !asset.body.contains("url("), "{}", asset.path);
        }
    }
}
