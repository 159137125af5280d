"""Walks the browser steps `plans.py` wrote as the suite's browser would: `walk.py ISSUER PHONE OUT`.

For each plan with a client that needs no key: a whole authorization, every command of the matching task obeyed on the
real pages, until the redirect URI of the suite. The last line is `N passed, N failed`.
"""

import fnmatch
import json
import pathlib
import re
import secrets
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "clients" / "authlib"))
from visitor import Forms, Visitor  # noqa: E402

ISSUER, PHONE, OUT = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
count = {"passed": 0, "failed": 0}


def check(name, holds):
    count["passed" if holds else "failed"] += 1
    print(("ok   " if holds else "FAIL ") + name, flush=True)


def obey(page, commands):
    """The form as the commands leave it: what was written, and the button that was pressed."""
    written, pressed = {}, None
    for verb, by, what, *rest in commands:
        if verb == "wait":
            hook = re.fullmatch(r"//body\[@data-page='(.+)'\]", what)
            assert by == "xpath" and hook and page.name == hook[1], f"expected {what}, the page is {page.name!r}"
        elif verb == "text":
            assert by == "id" and what in page.by_id, f"the page {page.name!r} has no #{what}"
            written[what] = rest[0]
        else:
            assert (verb, by) == ("click", "id") and what in page.buttons, f"the page {page.name!r} has no #{what}"
            pressed = what
    return page.press(pressed, written) if pressed else None


def authorization(config):
    client = config["client"]
    query = {
        "client_id": client["client_id"],
        "redirect_uri": callback(config),
        "response_type": "code",
        "scope": client["scope"],
        "state": secrets.token_urlsafe(8),
        "nonce": secrets.token_urlsafe(8),
    }
    return ISSUER + "/authorize?" + urllib.parse.urlencode(query)


def callback(config):
    done = next(task for task in config["browser"][0]["tasks"] if task["match"].endswith("/callback*"))
    return "https://localhost.emobix.co.uk:8443" + done["match"].removeprefix("*").removesuffix("*")


def walk(config, url, entries):
    """Where the browser ends: the address it leaves for, or the name of the page the steps end on."""
    visitor = Visitor(ISSUER, PHONE)
    entry = next(entry for entry in entries if fnmatch.fnmatch(url, entry["match"]))
    away, text = visitor.follow("GET", url)
    for _ in range(6):
        if away:
            return away
        page = Forms(text)
        task = next((task for task in entry["tasks"] if fnmatch.fnmatch(visitor.url, task["match"])), None)
        assert task, f"no step for {visitor.url.split('?')[0]} ({page.name!r})"
        form = obey(page, task["commands"])
        if form is None:
            return page.name
        away, text = visitor.follow("POST", *form)
    raise AssertionError("no end after six pages")


def plan(path):
    config = json.loads(path.read_text())
    name = path.stem
    if "client_secret" not in config.get("client", {}):
        return
    end = walk(config, authorization(config), config["browser"])
    answer = urllib.parse.parse_qs(urllib.parse.urlsplit(end).query)
    check(f"{name}: the steps lead to a code", end.startswith(callback(config) + "?") and "code" in answer)
    for module, page in (("oidcc-redirect-uri-query-added", "error"), ("oidcc-registration-logo-uri", "sign-in")):
        url = authorization(config)
        if page == "error":
            url = url.replace("%2Fcallback", "%2Fcallback%3Ffoo%3Dbar")
        end = walk(config, url, config["override"][module]["browser"])
        check(f"{name}: {module} ends on its page", end == page)


def main():
    lines = (OUT / "plans.txt").read_text().splitlines()
    check("every plan has a line and a configuration", all((OUT / line.split()[-1]).exists() for line in lines) and lines)
    for path in sorted(OUT.glob("*.json")):
        try:
            plan(path)
        except Exception as error:  # one plan's trouble must not hide another's
            check(f"{path.stem}: {type(error).__name__}: {error}", False)


main()
print(f"{count['passed']} passed, {count['failed']} failed")
sys.exit(1 if count["failed"] else 0)
