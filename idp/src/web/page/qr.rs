//! The page whose QR code the VNeID app scans.

use askama::Template;

use super::picture::{Picture, picture};
use super::{Asker, Frame, assets, rendered};
use crate::domain::Fault;

#[derive(Clone, Debug, Template)]
#[template(path = "qr.html")]
pub struct Qr {
    pub frame: Frame,
    pub asker: Option<Asker>,
    pub service: Option<String>,
    /// What the code holds.
    pub payload: String,
    /// To be typed in the app.
    pub number: String,
    /// `waiting`, `scanned`, `approved`, `declined`, `guessed`, `late`, `over`.
    pub stage: &'static str,
    /// Another phone scanned the code too.
    pub contested: bool,
    /// The level a portal asks for beyond the sign-in that stands, and the unlock: `passcode`, `face`, `passcode_face`.
    pub needed: Option<(u8, String)>,
    /// The page on which the same is done without the app.
    pub otherwise: Option<&'static str>,
}

impl Qr {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn is_live(&self) -> bool {
        matches!(self.stage, "waiting" | "scanned" | "approved")
    }

    fn picture(&self) -> Picture {
        picture(&self.payload)
    }

    fn script(&self) -> &'static str {
        &assets::QR.path
    }

    /// Where the script asks for news.
    fn news(&self) -> String {
        self.frame.address.replacen("/qr?", "/qr/stage?", 1)
    }

    fn elsewhere(&self, page: &str) -> String {
        self.frame.link(&self.frame.address.replacen("/qr", page, 1))
    }

    fn over(&self) -> String {
        self.frame.t(&format!("qr.over.{}", self.stage)).into_owned()
    }

    fn unlock(&self, unlock: &str) -> String {
        self.frame.t(&format!("qr.unlock.{unlock}")).into_owned()
    }
}
