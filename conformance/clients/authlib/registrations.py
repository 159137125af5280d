"""Writes the registrations of the library clients, with fresh secrets and keys, into a directory.

SITE=URL RESOURCE=URL TLS=DIR registrations.py DIRECTORY: one FILE.json for each `admin client put`; the file `clients` for
the libraries, `fapi` for openid-client in the FAPI 2.0 profiles, `web` for oauth4webapi and `apache` for mod_auth_openidc,
which is reached at SITE; and NAME.pem with NAME.key for those that show certificates, issued by the authority in TLS
or by themselves.
"""

import json
import os
import pathlib
import secrets
import sys

from joserfc.jwk import ECKey, RSAKey

from certificates import issued, self_signed

RESOURCE = os.environ["RESOURCE"]
SCOPE = "openid profile email phone address offline_access vn_identity vn_eid_status"
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt", "vn_acr_demand": False}
READS = {"scope": "openid profile offline_access dossiers.read", "vn_resources": [RESOURCE]}
BY_CERTIFICATE = {"vn_profile": "fapi2", "vn_acr_demand": False, **READS}

CLIENTS = {
    "library-basic": {"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "ES256"},
    "library-post": {"token_endpoint_auth_method": "client_secret_post"},
    "library-public": {"token_endpoint_auth_method": "none", "id_token_signed_response_alg": "EdDSA"},
    "library-key": {"token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "PS256"},
    "library-key-endpoint": {
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "vn_assertion_audience": "token_endpoint",
    },
}
FAPI = {
    "library-fapi2": {"vn_profile": "fapi2", "dpop_bound_access_tokens": True, **BY_KEY},
    "library-fapi2-signed": {
        "vn_profile": "fapi2_message_signing",
        "dpop_bound_access_tokens": True,
        "authorization_signed_response_alg": "ES256",
        **BY_KEY,
    },
}
WEB = {
    "web-oidc": {
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "EdDSA",
        **READS,
    },
    "web-fapi2": {"vn_profile": "fapi2", "dpop_bound_access_tokens": True, **BY_KEY, **READS},
    "web-fapi2-signed": {
        "vn_profile": "fapi2_message_signing",
        "dpop_bound_access_tokens": True,
        "id_token_signed_response_alg": "PS256",
        "authorization_signed_response_alg": "PS256",
        "introspection_signed_response_alg": "ES256",
        **BY_KEY,
        **READS,
    },
}
# What an old library assumes: RS256, and the secret in the header.
APACHE = {
    "library-apache": {
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": [os.environ["SITE"] + "/protected/callback"],
        "post_logout_redirect_uris": [os.environ["SITE"] + "/bye/"],
        "backchannel_logout_uri": os.environ["SITE"] + "/protected/callback?logout=backchannel",
        "backchannel_logout_session_required": True,
    },
}
BOUND = {"tls_client_certificate_bound_access_tokens": True}
MUTUAL = {
    "mutual-issued": {"token_endpoint_auth_method": "tls_client_auth", **BOUND},
    "mutual-self-signed": {"token_endpoint_auth_method": "self_signed_tls_client_auth", **BOUND},
    # Named by a host of the certificate, whatever its subject.
    "mutual-named": {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "mutual-named.example.vn", **BOUND},
    "mutual-dpop": {"token_endpoint_auth_method": "tls_client_auth", "dpop_bound_access_tokens": True},
}


def registration(name, more):
    return {
        "client_id": name,
        "client_name": {"vi": "Cổng thử " + name, "en": "Test portal " + name},
        "redirect_uris": ["https://rp.example.vn/callback"],
        "post_logout_redirect_uris": ["https://rp.example.vn/bye"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": SCOPE,
        "vn_sector": name + ".example.vn",
        **more,
    }


def signing_key(alg):
    named = {"kid": secrets.token_urlsafe(8), "use": "sig", "alg": alg}
    return RSAKey.generate_key(2048, named) if alg == "PS256" else ECKey.generate_key("P-256", named)


def with_credentials(asked):
    """Adds the client's own secret or key; what the library must know of it."""
    kept = {"method": asked["token_endpoint_auth_method"]}
    if kept["method"].startswith("client_secret"):
        kept["secret"] = asked["client_secret"] = secrets.token_urlsafe(32)
    if kept["method"] == "private_key_jwt":
        # A client that has its answers signed by PS256 signs so itself.
        key = signing_key("PS256" if asked.get("authorization_signed_response_alg") == "PS256" else "ES256")
        kept["key"] = key.as_dict(private=True)
        asked["jwks"] = {"keys": [key.as_dict(private=False)]}
    return kept


def with_certificate(directory, asked):
    name = asked["client_id"]
    if asked["token_endpoint_auth_method"] == "self_signed_tls_client_auth":
        pem, key, jwk = self_signed(name)
        asked["jwks"] = {"keys": [jwk]}
    else:
        host = asked.get("tls_client_auth_san_dns")
        pem, key, subject = issued(pathlib.Path(os.environ["TLS"]), name, host)
        if not host:
            asked["tls_client_auth_subject_dn"] = subject
    (directory / (name + ".pem")).write_bytes(pem)
    (directory / (name + ".key")).write_bytes(key)


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)

    def write(asked):
        (directory / (asked["client_id"] + ".json")).write_text(json.dumps(asked, ensure_ascii=False))

    for file, named in [("clients", CLIENTS), ("fapi", FAPI), ("web", WEB), ("apache", APACHE)]:
        kept = {}
        for name, more in named.items():
            asked = registration(name, more)
            kept[name] = with_credentials(asked)
            write(asked)
        (directory / file).write_text(json.dumps(kept if file != "apache" else next(iter(kept.values()))))
    for name, more in MUTUAL.items():
        asked = registration(name, {**BY_CERTIFICATE, **more})
        with_certificate(directory, asked)
        write(asked)


main(pathlib.Path(sys.argv[1]))
