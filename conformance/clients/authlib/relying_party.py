"""Authlib, unmodified, as relying party: sign-in, userinfo, refresh, introspection, revocation, sign-out.

Reads ISSUER, PHONE, CLIENTS (the file `registrations.py` wrote) and HOLDERS from the environment.
The last line is `N passed, N failed`.
"""

import json
import os
import sys
import traceback
import urllib.parse

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, jsonify
from joserfc.jwk import ECKey

from visitor import Visitor

ISSUER, PHONE = os.environ["ISSUER"], os.environ["PHONE"]
CLIENTS = json.load(open(os.environ["CLIENTS"]))
RECORD = json.loads(open(os.environ["HOLDERS"]).readline())
HOLDER = {"number": RECORD["person_number"], **{k: RECORD["account"][k] for k in ("password", "phone")}}
CALLBACK, BYE = "https://rp.example.vn/callback", "https://rp.example.vn/bye"
SCOPE = "openid profile email phone address offline_access vn_identity vn_eid_status"
METADATA = ISSUER + "/.well-known/openid-configuration"
count = {"passed": 0, "failed": 0}


def check(name, holds):
    count["passed" if holds else "failed"] += 1
    print(("ok   " if holds else "FAIL ") + name, flush=True)


class Portal:
    """A Flask site that knows of the provider what its metadata says, and signs people in with Authlib."""

    def __init__(self, name, **more):
        self.client = CLIENTS[name]
        method = self.client["method"]
        self.app = Flask(name)
        self.app.secret_key = name
        arguments = {
            "token_endpoint_auth_method": method,
            "revocation_endpoint_auth_method": method,
            "code_challenge_method": "S256",
            "scope": SCOPE,
        }
        methods, secret = None, self.client.get("secret")
        if method == "private_key_jwt":
            secret = ECKey.import_key(self.client["key"])
            # What Authlib calls the token endpoint is the audience of its assertions, at every endpoint.
            endpoint = requests.get(METADATA, timeout=60).json()["token_endpoint"]
            methods = [PrivateKeyJWT(endpoint if name.endswith("-endpoint") else ISSUER, alg="ES256")]
        self.oauth = OAuth(self.app)
        self.idp = self.oauth.register(
            "idp",
            client_id=name,
            client_secret=secret,
            server_metadata_url=METADATA,
            client_kwargs=arguments,
            client_auth_methods=methods,
            authorize_params=more,
        )
        self.token = None

        @self.app.route("/login")
        def login():
            return self.idp.authorize_redirect(CALLBACK)

        @self.app.route("/callback", methods=["GET", "POST"])
        def callback():
            self.token = self.idp.authorize_access_token()
            return jsonify(self.token["userinfo"])

    def sign_in(self, visitor):
        """The portal's sign-in as its user goes through it; the claims of the checked ID token."""
        site = self.app.test_client()
        sent = site.get("/login").headers["Location"]
        back = urllib.parse.urlsplit(visitor.complete(sent, HOLDER))
        answer = site.get("/callback?" + back.query)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def session(self):
        return self.idp._get_oauth_client(**self.idp.load_server_metadata())


def everything(name):
    portal = Portal(name)
    with portal.app.app_context():
        whole_life(name, Visitor(ISSUER, PHONE), portal)


def whole_life(name, visitor, portal):
    claims = portal.sign_in(visitor)
    token = portal.token
    check(f"{name}: sign-in, ID token checked by Authlib", claims["iss"] == ISSUER and claims["sub"])
    info = portal.idp.userinfo(token=token)
    check(f"{name}: userinfo", info["sub"] == claims["sub"] and info["name"] == RECORD["name"])
    check(f"{name}: the personal number was released", info["vn_personal_id"] == RECORD["person_number"])

    again = portal.sign_in(visitor)
    check(f"{name}: second sign-in, same session", again["sid"] == claims["sid"] and again["sub"] == claims["sub"])

    metadata = portal.idp.load_server_metadata()
    session = portal.session()
    before = portal.token["refresh_token"]
    refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=before)
    rotated = refreshed["refresh_token"] != before
    check(f"{name}: refresh, rotated exactly for a public client", rotated == (portal.client["method"] == "none"))
    check(f"{name}: the new access token works", portal.idp.userinfo(token=refreshed)["sub"] == claims["sub"])

    if portal.client["method"] != "none":
        seen = session.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"]).json()
        check(f"{name}: introspection", seen["active"] is True and seen["client_id"] == name)
    answer = session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"])
    check(f"{name}: revocation", answer.status_code == 200)
    try:
        session.refresh_token(metadata["token_endpoint"], refresh_token=refreshed["refresh_token"])
        check(f"{name}: a revoked refresh token is dead", False)
    except OAuthError as error:
        check(f"{name}: a revoked refresh token is dead", error.error == "invalid_grant")

    out = portal.idp.create_logout_url(post_logout_redirect_uri=BYE, id_token_hint=portal.token["id_token"])
    left = visitor.complete(out["url"], HOLDER)
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(left).query)["state"]
    check(f"{name}: sign-out", left.startswith(BYE + "?") and state == [out["state"]])
    silent = Portal(name, prompt="none")
    site = silent.app.test_client()
    back = urllib.parse.urlsplit(visitor.complete(site.get("/login").headers["Location"], HOLDER))
    error = urllib.parse.parse_qs(back.query)["error"]
    check(f"{name}: nobody is signed in any more", error == ["login_required"])


def step_up(name):
    portal = Portal(name, acr_values="urn:vn:eid:muc:2", max_age="10000")
    claims = portal.sign_in(Visitor(ISSUER, PHONE))
    check(f"{name}: level 2 with the second factor", claims["acr"] == "urn:vn:eid:muc:2" and "mfa" in claims["amr"])


def main():
    for journey, name in [(everything, name) for name in CLIENTS] + [(step_up, "library-basic")]:
        try:
            journey(name)
        except Exception:
            traceback.print_exc()
            check(f"{name}: {journey.__name__} to the end", False)
    print(f"{count['passed']} passed, {count['failed']} failed", flush=True)
    sys.exit(1 if count["failed"] else 0)


main()
