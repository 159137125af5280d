//! A page as a browser without JavaScript reads it: elements, attributes, forms. Enough HTML for our own pages.

use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Element {
    pub tag: String,
    pub attributes: BTreeMap<String, String>,
    form: Option<usize>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

#[derive(Debug)]
pub struct Page {
    pub elements: Vec<Element>,
    pub text: String,
}

/// What pressing a button sends.
#[derive(Clone, Debug)]
pub struct Submission {
    pub method: String,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Submission {
    pub fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| known != name);
    }
}

impl Page {
    pub fn parse(html: &str) -> Page {
        let (mut elements, mut text, mut rest, mut form) = (Vec::new(), String::new(), html, None);
        while let Some(start) = rest.find('<') {
            text.push_str(&decode(&rest[..start]));
            rest = &rest[start..];
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->").map_or("", |(_, after)| after);
                continue;
            }
            let (inside, after) = split_tag(&rest[1..]);
            rest = after;
            if let Some(closed) = inside.strip_prefix('/') {
                if closed.trim().eq_ignore_ascii_case("form") {
                    form = None;
                }
                text.push(' ');
                continue;
            }
            if inside.starts_with('!') {
                continue;
            }
            let (tag, attributes) = read_tag(inside);
            if tag == "form" {
                form = Some(elements.len());
            }
            if tag == "script" || tag == "style" {
                rest = rest.split_once("</").map_or("", |(_, after)| after.split_once('>').map_or("", |(_, a)| a));
            }
            elements.push(Element { tag, attributes, form });
        }
        text.push_str(&decode(rest));
        Page { elements, text: text.split_whitespace().collect::<Vec<_>>().join(" ") }
    }

    pub fn by_id(&self, id: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.attribute("id") == Some(id))
    }

    pub fn has(&self, id: &str) -> bool {
        self.by_id(id).is_some()
    }

    pub fn all<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.tag == tag)
    }

    /// `data-page` of the body: the stable name of the page.
    pub fn name(&self) -> &str {
        self.all("body").find_map(|body| body.attribute("data-page")).unwrap_or_default()
    }

    pub fn code(&self) -> &str {
        self.elements.iter().find_map(|element| element.attribute("data-code")).unwrap_or_default()
    }

    pub fn language(&self) -> &str {
        self.all("html").find_map(|html| html.attribute("lang")).unwrap_or_default()
    }

    /// The names of all claims offered with a box.
    pub fn boxes(&self) -> Vec<&str> {
        let boxes = self.all("input").filter(|input| input.attribute("name") == Some("claim"));
        boxes.filter_map(|input| input.attribute("value")).collect()
    }

    /// What a browser sends when `button` is pressed with these fields (by id) filled and boxes (by id) ticked.
    pub fn press(&self, button: &str, filled: &[(&str, &str)], ticked: &[&str]) -> Submission {
        let pressed = self.by_id(button).unwrap_or_else(|| panic!("no #{button} on page {:?}", self.name()));
        let form = self.form_of(pressed).unwrap_or_else(|| panic!("#{button} stands in no form"));
        let attribute = |name: &str, own: &str| {
            pressed.attribute(own).or(self.elements[form].attribute(name)).unwrap_or_default().to_owned()
        };
        let mut fields = Vec::new();
        for element in self.elements.iter().filter(|element| self.form_of(element) == Some(form)) {
            let (Some(name), id) = (element.attribute("name"), element.attribute("id").unwrap_or_default()) else {
                continue;
            };
            let written = filled.iter().find(|(field, _)| *field == id).map(|(_, value)| *value);
            let value = written.or(element.attribute("value")).unwrap_or_default();
            let sent = match (element.tag.as_str(), element.attribute("type").unwrap_or("text")) {
                ("input", "submit" | "image") | ("button", _) => std::ptr::eq(element, pressed),
                ("input", "checkbox" | "radio") => ticked.contains(&id) || element.attribute("checked").is_some(),
                ("input", _) | ("textarea", _) => true,
                _ => false,
            };
            if sent {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        for (id, _) in filled {
            assert!(self.has(id), "no #{id} on page {:?}", self.name());
        }
        let method = attribute("method", "formmethod");
        Submission { method: method.to_ascii_uppercase(), action: attribute("action", "formaction"), fields }
    }

    fn form_of(&self, element: &Element) -> Option<usize> {
        match element.attribute("form") {
            Some(id) => self.elements.iter().position(|form| form.tag == "form" && form.attribute("id") == Some(id)),
            None => element.form,
        }
    }
}

/// Splits after the `>` that ends a tag, minding quotes.
fn split_tag(rest: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => return (&rest[..at], &rest[at + 1..]),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    (rest, "")
}

fn read_tag(inside: &str) -> (String, BTreeMap<String, String>) {
    let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
    let (tag, mut rest) = inside.split_at(end);
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (tag.to_ascii_lowercase(), attributes);
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(1));
        let mut value = "";
        rest = after;
        if let Some(given) = after.trim_start().strip_prefix('=') {
            let given = given.trim_start();
            (value, rest) = match given.chars().next() {
                Some(quote @ ('"' | '\'')) => given[1..].split_once(quote).unwrap_or((&given[1..], "")),
                _ => given.split_at(given.find(char::is_whitespace).unwrap_or(given.len())),
            };
        }
        attributes.entry(name.to_ascii_lowercase()).or_insert_with(|| decode(value));
    }
}

fn decode(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let decoded = rest.find(';').filter(|end| *end < 10).and_then(|end| Some((entity(&rest[1..end])?, end)));
        let Some((c, end)) = decoded else {
            out.push('&');
            rest = &rest[1..];
            continue;
        };
        out.push(c);
        rest = &rest[end + 1..];
    }
    out + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[test]
fn a_form_is_read_as_a_browser_reads_it() {
    let page = Page::parse(
        "<!doctype html><html lang=vi><body data-page=\"consent\"><form id=a method=post action='/x?a=1&amp;b=2'>\
         <input type=hidden name=form_token value='t&#x27;\"'><input type=checkbox name=claim value=name id=claim-name>\
         <input type=checkbox name=claim value=email id=claim-email /><button id=allow name=d value=y>Đồng ý</button>\
         </form><button id=deny name=d value=n form=a>Không</button></body></html>",
    );
    let sent = page.press("allow", &[], &["claim-email"]);
    assert_eq!((sent.method.as_str(), sent.action.as_str()), ("POST", "/x?a=1&b=2"));
    assert_eq!(
        sent.fields,
        [("form_token", "t'\""), ("claim", "email"), ("d", "y")].map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    assert_eq!(page.press("deny", &[], &[]).fields[1], ("d".to_owned(), "n".to_owned()));
    assert_eq!((page.language(), page.name(), page.boxes()), ("vi", "consent", vec!["name", "email"]));
}
