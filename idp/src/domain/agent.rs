//! Agent: what a browser calls itself, cut down to what its owner recognises it by. Nothing is decided by it.

/// Family of browser and kind of system, as `chrome/android`. Versions and models are never kept: they would tell one
/// person's device from everybody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent(String);

/// A mark in the `User-Agent` header and the word for it; the first that fits counts, since most browsers also name
/// those they descend from.
const BROWSERS: [(&str, &str); 9] = [
    ("coc_coc_browser", "coccoc"),
    ("Zalo", "zalo"),
    ("Edg", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser", "samsung"),
    ("Firefox/", "firefox"),
    ("FxiOS/", "firefox"),
    ("Chrome/", "chrome"),
    ("Safari/", "safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "android"),
    ("iPhone", "iphone"),
    ("iPad", "ipad"),
    ("Windows", "windows"),
    ("Mac OS X", "mac"),
    ("Linux", "linux"),
];
const UNKNOWN: &str = "other";

impl Agent {
    pub fn of_header(header: &str) -> Agent {
        let word = |known: &[(&str, &'static str)]| {
            known.iter().find(|(mark, _)| header.contains(mark)).map_or(UNKNOWN, |(_, word)| *word)
        };
        Agent(format!("{}/{}", word(&BROWSERS), word(&SYSTEMS)))
    }

    /// As it was kept; anything else is unknown.
    pub fn kept(text: &str) -> Agent {
        let (browser, system) = text.split_once('/').unwrap_or_default();
        let known = |word: &str, words: &[(&str, &str)]| words.iter().any(|(_, known)| *known == word);
        if (known(browser, &BROWSERS) || browser == UNKNOWN) && (known(system, &SYSTEMS) || system == UNKNOWN) {
            return Agent(text.to_owned());
        }
        Agent(format!("{UNKNOWN}/{UNKNOWN}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words for browser and system.
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((UNKNOWN, UNKNOWN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_its_own_name_and_not_its_ancestors() {
        let chrome =
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";
        let rows = [
            (chrome.to_owned(), "chrome/android"),
            (format!("{chrome} coc_coc_browser/140"), "coccoc/android"),
            (format!("{chrome} EdgA/140"), "edge/android"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1".to_owned(),
                "safari/iphone",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "firefox/linux"),
            ("curl/8".to_owned(), "other/other"),
            (String::new(), "other/other"),
        ];
        for (header, expected) in rows {
            assert_eq!(Agent::of_header(&header).as_str(), expected);
            assert_eq!(Agent::kept(expected).as_str(), expected);
        }
        assert_eq!(Agent::kept("<b>/x").as_str(), "other/other");
    }
}
