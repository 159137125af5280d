"""Writes the registrations of the library clients, with fresh secrets and keys, into a directory.

SITE=URL registrations.py DIRECTORY: one FILE.json for each `admin client put`, the file `clients` for the libraries,
`fapi` for those that speak FAPI 2.0, and `apache` for mod_auth_openidc, which is reached at SITE.
"""

import json
import os
import pathlib
import secrets
import sys

from joserfc.jwk import ECKey

APACHE = "library-apache"
METHODS = {
    "library-basic": {"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "ES256"},
    "library-post": {"token_endpoint_auth_method": "client_secret_post"},
    "library-public": {"token_endpoint_auth_method": "none", "id_token_signed_response_alg": "EdDSA"},
    "library-key": {"token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "PS256"},
    "library-key-endpoint": {
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "vn_assertion_audience": "token_endpoint",
    },
    # What an old library assumes: RS256, and the secret in the header.
    APACHE: {
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": [os.environ["SITE"] + "/protected/callback"],
        "post_logout_redirect_uris": [os.environ["SITE"] + "/bye/"],
        "backchannel_logout_uri": os.environ["SITE"] + "/protected/callback?logout=backchannel",
        "backchannel_logout_session_required": True,
    },
}
FAPI = {
    "library-fapi2": {"vn_profile": "fapi2", "dpop_bound_access_tokens": True},
    "library-fapi2-signed": {
        "vn_profile": "fapi2_message_signing",
        "dpop_bound_access_tokens": True,
        "authorization_signed_response_alg": "ES256",
    },
}


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    clients, fapi = {}, {}
    by_key = {"token_endpoint_auth_method": "private_key_jwt", "vn_acr_demand": False}
    for name, method in {**METHODS, **{name: {**by_key, **profile} for name, profile in FAPI.items()}}.items():
        registration = {
            "client_id": name,
            "client_name": {"vi": "Cổng thử " + name, "en": "Test portal " + name},
            "redirect_uris": ["https://rp.example.vn/callback"],
            "post_logout_redirect_uris": ["https://rp.example.vn/bye"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email phone address offline_access vn_identity vn_eid_status",
            "vn_sector": name + ".example.vn",
            **method,
        }
        kept = {"method": method["token_endpoint_auth_method"]}
        if kept["method"].startswith("client_secret"):
            kept["secret"] = registration["client_secret"] = secrets.token_urlsafe(32)
        if kept["method"] == "private_key_jwt":
            key = ECKey.generate_key("P-256", {"kid": secrets.token_urlsafe(8), "use": "sig", "alg": "ES256"})
            kept["key"] = key.as_dict(private=True)
            registration["jwks"] = {"keys": [key.as_dict(private=False)]}
        if name == APACHE:
            (directory / "apache").write_text(json.dumps(kept))
        else:
            (fapi if name in FAPI else clients)[name] = kept
        (directory / (name + ".json")).write_text(json.dumps(registration, ensure_ascii=False))
    (directory / "clients").write_text(json.dumps(clients))
    (directory / "fapi").write_text(json.dumps(fapi))


main(pathlib.Path(sys.argv[1]))
