//! A QR code as one path of an inline picture: nothing is fetched, and a strict content policy has nothing to stop.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

use crate::domain::Fault;

/// ISO/IEC 18004: four light modules on every side.
const QUIET: usize = 4;

pub struct Picture {
    /// Modules on a side, the quiet zone included.
    pub size: usize,
    /// The dark modules.
    pub path: String,
}

pub fn picture(text: &str) -> Result<Picture, Fault> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| Fault::broken("web", error))?;
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let _ = write!(path, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
        }
    }
    Ok(Picture { size: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_finder_patterns_and_nothing_but_moves() {
        let shown = picture("otpauth://totp/VNeID:1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=VNeID").unwrap();
        assert!(shown.path.starts_with("M4 4h1v1h-1zM5 4h1v1h-1z"), "the first finder pattern is dark");
        assert!(shown.path.bytes().all(|b| b.is_ascii_digit() || b"Mhvz -".contains(&b)));
        assert!(shown.size > 30 && picture(&"x".repeat(5000)).is_err());
    }
}
