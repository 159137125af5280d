"""mod_auth_openidc, unmodified, under Apache: sign-in, userinfo, refresh, sign-out on either side.

Reads ISSUER, PHONE, SITE (where Apache listens), CLIENT (a file `registrations.py` wrote), HOLDERS and VISITOR (where
visitor.py is) from the environment.
The last line is `N passed, N failed`.
"""

import glob
import json
import os
import pathlib
import pwd
import secrets
import string
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.environ["VISITOR"])
from visitor import Forms, Visitor  # noqa: E402

ISSUER, PHONE, SITE = os.environ["ISSUER"], os.environ["PHONE"], os.environ["SITE"]
CLIENT = "library-apache"
SECRET = json.load(open(os.environ["CLIENT"]))["secret"]
RECORD = json.loads(open(os.environ["HOLDERS"]).readline())
HOLDER = {"number": RECORD["person_number"], **{k: RECORD["account"][k] for k in ("password", "phone")}}
HERE = pathlib.Path(__file__).parent
count = {"passed": 0, "failed": 0}


def check(name, holds):
    count["passed" if holds else "failed"] += 1
    print(("ok   " if holds else "FAIL ") + "mod_auth_openidc: " + name, flush=True)


def configuration(state):
    user = "www-data" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    modules = os.path.dirname(glob.glob("/usr/lib/apache2/modules/mod_auth_openidc.so")[0])
    values = {
        "STATE": state,
        "PORT": urllib.parse.urlsplit(SITE).port,
        "USER": user,
        "MODULES": modules,
        "ISSUER": ISSUER,
        "CLIENT": CLIENT,
        "SECRET": SECRET,
        "PASSPHRASE": secrets.token_urlsafe(32),
    }
    for name, text in (("protected/index.html", "inside"), ("bye/index.html", "goodbye")):
        page = pathlib.Path(state, "site", name)
        page.parent.mkdir(parents=True)
        page.write_text(text)
    path = pathlib.Path(state, "httpd.conf")
    path.write_text(string.Template((HERE / "httpd.conf").read_text()).substitute(values))
    os.chmod(state, 0o755)
    return path


def serving(process):
    for _ in range(200):
        if process.poll() is not None:
            return False
        try:
            urllib.request.urlopen(SITE + "/bye/", timeout=5).read()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def info(site):
    status, _, text = site.request("GET", SITE + "/protected/callback?info=json")
    return json.loads(text) if status == 200 else {}


def sign_in(site, citizen):
    """What the visitor of a protected page goes through; the page at the end."""
    away, _ = site.follow("GET", SITE + "/protected/")
    assert away and away.startswith(ISSUER), away
    back = citizen.complete(away, HOLDER)
    away, text = site.follow("GET", back)
    assert away is None, away
    return text


def whole_life():
    site, citizen = Visitor(SITE, PHONE), Visitor(ISSUER, PHONE)
    check("sign-in ends on the protected page", sign_in(site, citizen) == "inside")
    known = info(site)
    subject = known["id_token"]["sub"]
    check("the ID token is for this client", known["id_token"]["aud"] in (CLIENT, [CLIENT]))
    check("userinfo has the same subject and the name", known["userinfo"]["sub"] == subject and known["userinfo"]["name"] == RECORD["name"])
    status, _, text = site.request("GET", SITE + "/protected/")
    check("the next request needs no sign-in", (status, text) == (200, "inside"))

    back = urllib.parse.quote(SITE + "/protected/", safe="")
    token = urllib.parse.quote(known["access_token"], safe="")
    away, text = site.follow("GET", f"{SITE}/protected/callback?refresh={back}&access_token={token}")
    fresh = info(site)
    check("refresh returns to the page with another access token", text == "inside" and fresh["access_token"] != known["access_token"])
    check("the refresh token is kept", fresh["refresh_token"] == known["refresh_token"])

    bye = urllib.parse.quote(SITE + "/bye/", safe="")
    away, _ = site.follow("GET", f"{SITE}/protected/callback?logout={bye}")
    check("sign-out goes by our end-session address", away is not None and away.startswith(ISSUER + "/end-session"))
    away, _ = citizen.follow("GET", away)
    check("and comes back to the page it asked for", away == SITE + "/bye/")
    away, _ = site.follow("GET", SITE + "/protected/")
    check("afterwards the page asks for a sign-in again", away is not None and away.startswith(ISSUER))
    _, text = citizen.follow("GET", away)
    check("and so does the provider", 'data-page="sign-in"' in text)

    check("another sign-in", sign_in(site, citizen) == "inside")
    _, text = citizen.follow("GET", ISSUER + "/end-session")
    citizen.follow("POST", *Forms(text).press("confirm"))
    check("a sign-out at the provider reaches Apache by the back channel", told_in_time(site))


def told_in_time(site):
    """The message leaves within a second of the sign-out; a slow machine gets more."""
    for _ in range(100):
        away, _ = site.follow("GET", SITE + "/protected/")
        if away and away.startswith(ISSUER):
            return True
        time.sleep(0.2)
    return False


def main():
    with tempfile.TemporaryDirectory(prefix="idp-apache-") as state:
        path = configuration(state)
        process = subprocess.Popen(["apache2", "-f", str(path), "-DFOREGROUND"])
        try:
            check("Apache starts", serving(process))
            if count["failed"] == 0:
                whole_life()
        finally:
            process.terminate()
            process.wait(timeout=30)
            if count["failed"] or sys.exc_info()[0]:
                log = pathlib.Path(state, "error.log")
                print(log.read_text() if log.exists() else "Apache wrote no log")


try:
    main()
except Exception as error:  # the summary must come whatever happened
    check(f"{type(error).__name__}: {error}", False)
print(f"{count['passed']} passed, {count['failed']} failed")
sys.exit(1 if count["failed"] else 0)
