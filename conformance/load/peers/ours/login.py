"""Signs a browser in through the provider's own pages and gives back its Cookie line.

Python's cookie jar keeps Secure cookies back over http, localhost included, so the line is written here.
"""
import re, urllib.parse
from html.parser import HTMLParser

PERSON_NUMBER, PASSWORD = "099090000101", "VNeID#2026"


class Page(HTMLParser):
    """The `data-page` of a page and its forms: action, fields, and buttons by id."""

    def __init__(self, text):
        super().__init__()
        self.name, self.forms, self._form = None, [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "body":
            self.name = a.get("data-page")
        elif tag == "form":
            self._form = dict(action=a.get("action") or "", method=(a.get("method") or "get").lower(), fields=[], ids={}, buttons={})
            self.forms.append(self._form)
        elif tag in ("input", "button") and self._form is not None:
            kind = a.get("type") or ("submit" if tag == "button" else "text")
            if a.get("id"):
                self._form["ids"][a["id"]] = a.get("name")
            if kind == "submit":
                self._form["buttons"][a.get("id")] = (a.get("name"), a.get("value") or "")
            elif a.get("name"):
                self._form["fields"].append((kind, a["name"], a.get("value") or ("on" if kind == "checkbox" else "")))

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None


def take_cookies(headers, cookies):
    for line in headers.get_all("Set-Cookie") or []:
        pair, *attributes = line.split(";")
        name, _, value = pair.strip().partition("=")
        if any(re.fullmatch(r"\s*max-age\s*=\s*(0|-\d+)\s*", a, re.I) for a in attributes):
            cookies.pop(name, None)
        else:
            cookies[name] = value


def filled(form, page, number=PERSON_NUMBER, password=PASSWORD):
    """What the browser would send: consent to everything on offer, and the two things a person types."""
    fields = [(name, value) for kind, name, value in form["fields"] if kind in ("hidden", "checkbox")]
    if page == "sign-in":
        ids = form["ids"]
        fields += [(ids["person_number"], number), (ids["password"], password)]
    name, value = form["buttons"].get({"consent": "allow"}.get(page, "submit"), (None, ""))
    return fields + ([(name, value)] if name else [])


def cookie_line(cookies):
    return "; ".join(f"{k}={v}" for k, v in cookies.items())


def sign_in_page(base, authorize, http_once):
    """Where a stranger's sign-in form is sent to, the form, and the cookies it goes with."""
    cookies, url = {}, base + authorize
    for _ in range(5):
        headers = {"Accept": "text/html", "Accept-Language": "en"}
        if cookies:
            headers["Cookie"] = cookie_line(cookies)
        status, answer, text = http_once(url, None, None, headers)
        take_cookies(answer, cookies)
        if not answer.get("Location"):
            break
        url = urllib.parse.urljoin(url, answer["Location"])
    page = Page(text)
    form = next((f for f in page.forms if "password" in f["ids"]), None)
    if page.name != "sign-in" or not form:
        raise SystemExit(f"no sign-in page: {status}, page {page.name}")
    return urllib.parse.urljoin(url, form["action"]), form, cookies


def login(base, authorize, redirect_uri, http_once, **who):
    cookies, url, body = {}, base + authorize, None
    for _ in range(20):
        headers = {"Accept": "text/html", "Accept-Language": "en"}
        if cookies:
            headers["Cookie"] = cookie_line(cookies)
        if body is not None:
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Origin": base})
        status, answer, text = http_once(url, None, body, headers)
        take_cookies(answer, cookies)
        location = answer.get("Location")
        if location:
            url, body = urllib.parse.urljoin(url, location), None
            if url.startswith(redirect_uri):
                if "code=" not in url:
                    raise SystemExit(f"signing in ended without a code: {url}")
                return cookie_line(cookies)
            continue
        page = Page(text)
        wanted = {"sign-in": "password", "consent": "allow"}.get(page.name)
        form = next((f for f in page.forms if wanted in f["ids"]), None)
        if status != 200 or form is None or form["method"] != "post":
            words = " ".join(re.sub("<[^>]*>", " ", text).split())
            raise SystemExit(f"signing in stopped at {status}, page {page.name}: {words[:600]}")
        url, body = urllib.parse.urljoin(url, form["action"]), urllib.parse.urlencode(filled(form, page.name, **who))
    raise SystemExit(f"signing in never ends; last at {url}")
