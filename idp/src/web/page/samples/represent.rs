//! The pages on which somebody acts for another.

use super::super::*;
use super::{Page, asker, frame};
use crate::domain::confirmation::Stage;
use crate::domain::{Holder, Id};
use crate::flow::acting::Offered;
use crate::flow::guardian::Waiting;

/// Name, `data-page`, HTML.
pub(super) fn pages(language: &'static str) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut add = |name: &str, page, html: Result<String, Fault>| pages.push((name.to_owned(), page, html.unwrap()));
    for (name, stage) in [
        ("waiting", Some(Stage::Waiting)),
        ("refused", Some(Stage::Refused)),
        ("expired", Some(Stage::Expired)),
        ("nobody", None),
    ] {
        let guardian = Some(("An".to_owned(), "099••••••001".to_owned()));
        let waiting = Waiting { guardian, stage };
        let page =
            Guardian { asker: Some(asker(language)), ..Guardian::of(frame(language, "guardian"), waiting, "0198c2f0") };
        add(&format!("guardian-{name}"), "guardian", page.render());
    }
    let offered = [(Holder::Citizen, "Nguyễn Minh Khôi"), (Holder::Organisation, "Công ty TNHH Sao Mai")]
        .map(|(holder, name)| Offered { account: Id::new(name), holder, name: name.to_owned() });
    let own = "Nguyễn Văn An".to_owned();
    let page = Represent { asker: Some(asker(language)), ..Represent::of(frame(language, "represent"), own, &offered) };
    add("represent", "represent", page.render());
    pages
}
