//! Looking up the words of the pages.

use std::borrow::Cow;

/// What a page is written in when nothing else is asked for.
pub const VIETNAMESE: &str = "vi";
pub const ENGLISH: &str = "en";

/// The text under a key. An absent key is answered by itself, so that a page still renders;
/// a test holds every key in use to both languages.
pub fn say(language: &str, key: &str) -> Cow<'static, str> {
    find(language, key).unwrap_or_else(|| Cow::Owned(key.to_owned()))
}

/// The text under a key that need not exist.
pub fn find(language: &str, key: &str) -> Option<Cow<'static, str>> {
    crate::_rust_i18n_try_translate(language, key)
}

/// The text under a key with one `%{name}` filled in.
pub fn fill(language: &str, key: &str, name: &str, value: &str) -> String {
    say(language, key).replace(&format!("%{{{name}}}"), value)
}

/// The language of a page: the person's own choice, then what the client asked for (`ui_locales`), then what
/// the browser prefers, then Vietnamese. Tags compare by their primary subtag.
pub fn language(chosen: Option<&str>, ui_locales: &[String], accept_language: Option<&str>) -> &'static str {
    chosen
        .and_then(known)
        .or_else(|| ui_locales.iter().find_map(|tag| known(tag)))
        .or_else(|| accept_language.and_then(preferred))
        .unwrap_or(VIETNAMESE)
}

fn known(tag: &str) -> Option<&'static str> {
    let primary = tag.trim().split('-').next().unwrap_or_default();
    [VIETNAMESE, ENGLISH].into_iter().find(|language| primary.eq_ignore_ascii_case(language))
}

/// RFC 9110 §12.5.4: the known language with the greatest weight, the earlier one on a tie.
fn preferred(accept_language: &str) -> Option<&'static str> {
    let mut best: Option<(&'static str, f32)> = None;
    for range in accept_language.split(',').take(20) {
        let mut parts = range.split(';');
        let Some(language) = parts.next().and_then(known) else { continue };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(_, so_far)| weight > so_far) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_chosen_then_asked_then_preferred_then_vietnamese() {
        let asked = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        assert_eq!(language(None, &[], None), "vi");
        assert_eq!(language(Some("en"), &asked(&["vi"]), Some("vi")), "en");
        assert_eq!(language(Some("fr"), &asked(&["fr-CA", "en-US"]), Some("vi")), "en");
        assert_eq!(language(None, &[], Some("fr, en-GB;q=0.8, vi;q=0.9")), "vi");
        assert_eq!(language(None, &[], Some("en, vi")), "en");
        assert_eq!(language(None, &[], Some("en;q=0, *")), "vi");
        assert_eq!(language(None, &[], Some("fr;q=x,;,;;q=")), "vi");
    }
}
