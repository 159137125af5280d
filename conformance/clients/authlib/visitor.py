"""A citizen with a browser without JavaScript, who knows nothing but the stable hooks of the pages."""

import html.parser
import http.client
import json
import re
import urllib.parse


class Forms(html.parser.HTMLParser):
    """The page's name and its forms: fields by name, names by id, buttons by id."""

    def __init__(self, text):
        super().__init__()
        self.name, self.form, self.buttons, self.by_id = "", None, {}, {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = {name: value or "" for name, value in attributes}
        if tag == "body":
            self.name = a.get("data-page", "")
        elif tag == "form":
            self.form = {"action": a.get("action", ""), "fields": [], "boxes": []}
        elif self.form is not None and tag == "button":
            self.buttons[a.get("id")] = (self.form, a)
        elif self.form is not None and tag in ("input", "textarea") and "name" in a:
            kind = a.get("type", "text")
            if kind == "submit":
                self.buttons[a.get("id")] = (self.form, a)
            elif kind == "checkbox":
                self.form["boxes"].append((a["name"], a.get("value", "on")))
            else:
                self.form["fields"].append([a["name"], a.get("value", "")])
                self.by_id[a.get("id")] = a["name"]

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None

    def press(self, button, filled=(), tick=False):
        form, a = self.buttons[button]
        written = {self.by_id[field]: value for field, value in dict(filled).items()}
        fields = [(name, written.get(name, value)) for name, value in form["fields"]]
        fields += form["boxes"] if tick else []
        fields += [(a["name"], a.get("value", ""))] if "name" in a else []
        return a.get("formaction") or form["action"], fields


class Visitor:
    def __init__(self, issuer, phone):
        self.issuer, self.phone, self.jar, self.url = issuer, phone, {}, issuer

    def request(self, method, url, fields=None):
        """One request; only our own provider is ever asked."""
        self.url = urllib.parse.urljoin(self.url, url)
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)
        headers = {"Host": parts.netloc, "Accept": "text/html,*/*;q=0.8", "Accept-Language": "vi"}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(fields)
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body, headers)
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.jar.pop(name, None)
            if value and "max-age=0" not in cookie.lower():
                self.jar[name] = value
        text = response.read().decode()
        connection.close()
        return response.status, response.headers.get("Location"), text

    def follow(self, method, url, fields=None):
        """Follows redirects that stay with the provider; the address it leaves for, or the page it ends on."""
        for _ in range(12):
            status, location, text = self.request(method, url, fields)
            if location is None:
                return None, text
            url = urllib.parse.urljoin(self.url, location)
            if not url.startswith(self.issuer + "/"):
                return url, text
            method, fields = "GET", None
        raise AssertionError("redirects without end")

    def otp(self, number):
        host = urllib.parse.urlsplit(self.phone)
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)
        connection.request("GET", "/api/messages?to=" + urllib.parse.quote(number))
        newest = json.load(connection.getresponse())[0]["text"]
        return re.search(r"(?<!\d)\d{6}(?!\d)", newest).group()

    def complete(self, url, holder):
        """Through every page to the address the provider sends the browser to."""
        away, text = self.follow("GET", url)
        for _ in range(6):
            if away:
                return away
            page = Forms(text)
            if page.name == "sign-in":
                form = page.press("submit", {"person_number": holder["number"], "password": holder["password"]})
            elif page.name == "otp":
                form = page.press("submit", {"otp": self.otp(holder["phone"])})
            elif page.name == "consent":
                form = page.press("allow", tick=True)
            else:
                raise AssertionError(f"ended on page {page.name!r}: {text[:2000]}")
            away, text = self.follow("POST", *form)
        raise AssertionError("no end after six pages")
