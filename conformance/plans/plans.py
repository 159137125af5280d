"""Writes what the official conformance suite needs to test this provider. See README.md beside this."""

import argparse
import base64
import datetime
import json
import pathlib
import secrets
import shlex
import subprocess
import tomllib
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

import steps

HERE = pathlib.Path(__file__).parent
SCOPE = "openid profile email address phone offline_access"
ROLES = ("client", "client2", "client_secret_post")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--admin", required=True, help='how the CLI is called, such as "admin --config idp.toml"')
    parser.add_argument("--person-number", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--suite", default="https://localhost.emobix.co.uk:8443")
    parser.add_argument("--only", action="append", help="the name of a plan; may be repeated")
    return parser.parse_args()


def admin(args, *words):
    done = subprocess.run([*shlex.split(args.admin), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"admin {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def claims_of(scopes):
    """What the standard scopes stand for (OIDC Core 5.4); all of it goes with the consent, as the suite expects."""
    standard = {
        "profile": "name family_name given_name middle_name nickname preferred_username profile picture website gender "
        "birthdate zoneinfo locale updated_at",
        "email": "email email_verified",
        "address": "address",
        "phone": "phone_number phone_number_verified",
    }
    return [claim for scope in scopes.split() for claim in standard.get(scope, "").split()]


def purposes(scopes):
    claims = claims_of(scopes)
    title = {"vi": "Kiểm tra tuân thủ", "en": "Conformance test"}
    return [{"id": "conformance", "title": title, "claims": claims, "required": claims}] if claims else []


def signing_key():
    key = ECKey.generate_key("P-256", {"kid": secrets.token_urlsafe(8), "use": "sig", "alg": "ES256"})
    return key.as_dict(private=True), key.as_dict(private=False)


def certificate(name):
    """A self-signed certificate for mutual TLS: PEM for the suite, and the key with `x5c` for the registration."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
    made = made.not_valid_after(now + datetime.timedelta(days=365))
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    signed = made.add_extension(usage, critical=False).sign(key, hashes.SHA256())
    encoding, private = serialization.Encoding, serialization.PrivateFormat.PKCS8
    public = ECKey.import_key(key.public_key().public_bytes(encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    jwk = public.as_dict(private=False)
    jwk |= {"kid": secrets.token_urlsafe(8), "x5c": [base64.b64encode(signed.public_bytes(encoding.DER)).decode()]}
    pem = {
        "cert": signed.public_bytes(encoding.PEM).decode(),
        "key": key.private_bytes(encoding.PEM, private, serialization.NoEncryption()).decode(),
    }
    return pem, jwk


class Plan:
    def __init__(self, path, args, metadata):
        self.name, self.args, self.metadata = path.stem, args, metadata
        self.read = tomllib.loads(path.read_text())
        self.variant = self.read.get("variant", {})
        self.alias = "idp-" + self.name.replace("_", "-")
        self.base = f"{args.suite}/test/a/{self.alias}"
        self.config = {
            "alias": self.alias,
            "description": f"{args.issuer}: {self.name}",
            "server": {"discoveryUrl": args.issuer + "/.well-known/openid-configuration"},
        }

    def needs_certificates(self):
        return "mtls" in (self.variant.get("client_auth_type"), self.variant.get("sender_constrain"))

    def line(self):
        chosen = "".join(f"[{name}={value}]" for name, value in self.variant.items())
        return f"{self.read['plan']}{chosen} {self.name}.json"

    def write(self):
        if self.read.get("dynamic"):
            self.invite()
        elif "fapi" in self.read:
            self.fapi()
        else:
            for role in ROLES:
                if role in self.read:
                    self.static(role)
        self.config |= steps.browser(self.args, self.alias)
        path = self.args.out / f"{self.name}.json"
        path.write_text(json.dumps(self.config, ensure_ascii=False, indent=2) + "\n")

    def register(self, role, registration):
        registration = {
            "client_id": f"{self.alias}-{role.replace('_', '-')}",
            "client_name": {"vi": "Bộ kiểm tra tuân thủ", "en": "Conformance suite"},
            "vn_sector": "conformance." + self.alias,
            **registration,
        }
        path = self.args.out / "registrations" / f"{registration['client_id']}.json"
        path.write_text(json.dumps(registration, ensure_ascii=False, indent=2) + "\n")
        admin(self.args, "client", "put", str(path))
        return registration["client_id"]

    def static(self, role):
        """A client of the plain OpenID Connect plans: old habits allowed, as the suite has them."""
        secret = secrets.token_urlsafe(32)
        asked = {
            name: [part.format(base=self.base) for part in value] if isinstance(value, list)
            else value.format(base=self.base) if isinstance(value, str) else value
            for name, value in self.read[role].items()
        }
        client_id = self.register(role, {
            "client_secret": secret,
            "redirect_uris": [self.base + "/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": SCOPE,
            "vn_pkce": "optional",
            "vn_purposes": purposes(SCOPE),
            **asked,
        })
        self.config[role] = {"client_id": client_id, "client_secret": secret, "scope": SCOPE}

    def invite(self):
        """A dynamic plan registers a client for every module; one initial access token lets it."""
        path = self.args.out / "registrations" / f"{self.alias}-purposes.json"
        path.write_text(json.dumps(purposes(SCOPE), ensure_ascii=False))
        told = admin(
            self.args, "client", "invite", "--json", "--scope", SCOPE, "--purposes", str(path), "--pkce", "optional",
            "--assertion-audience", "token_endpoint", "--uses", "1000", "--relying-party", "Conformance suite",
        )
        token = json.loads(told)["initial_access_token"]
        for role in ("client", "client2"):
            self.config[role] = {"client_name": self.alias + "-" + role, "initial_access_token": token}

    def fapi(self):
        """Two clients of a FAPI plan. The second one's redirect URI carries a query, which must be kept."""
        mutual = self.needs_certificates()
        scope = "profile email" if self.variant.get("openid") == "plain_oauth" else SCOPE
        for number, role in enumerate(("client", "client2")):
            private, public = signing_key()
            keys = [public]
            if mutual:
                pem, jwk = certificate(f"{self.alias}-{role}")
                self.config["mtls" if number == 0 else "mtls2"] = pem
                keys.append(jwk)
            client_id = self.register(role, self.fapi_registration(number, keys, scope))
            self.config[role] = {"client_id": client_id, "scope": scope, "jwks": {"keys": [private]}}
        # A token bound to a certificate opens only where certificates are asked for.
        named = self.metadata["mtls_endpoint_aliases"] if self.variant["sender_constrain"] == "mtls" else self.metadata
        self.config["resource"] = {"resourceUrl": named["userinfo_endpoint"]}

    def fapi_registration(self, number, keys, scope):
        by_key = self.variant["client_auth_type"] == "private_key_jwt"
        bound = self.variant["sender_constrain"]
        registration = {
            "vn_profile": self.read["fapi"],
            "redirect_uris": [self.base + "/callback" + ("?dummy1=lorem&dummy2=ipsum" if number else "")],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": scope,
            "vn_purposes": purposes(scope),
            "jwks": {"keys": keys},
            "token_endpoint_auth_method": "private_key_jwt" if by_key else "self_signed_tls_client_auth",
            "dpop_bound_access_tokens": bound == "dpop",
            "tls_client_certificate_bound_access_tokens": bound == "mtls",
            # The suite asks for the level it can reach with a password.
            "vn_acr_demand": False,
        }
        if self.variant.get("fapi_response_mode") == "jarm":
            registration["authorization_signed_response_alg"] = "ES256"
        return registration


def main():
    args = arguments()
    args.issuer = args.issuer.rstrip("/")
    (args.out / "registrations").mkdir(parents=True, exist_ok=True)
    metadata = json.load(urllib.request.urlopen(args.issuer + "/.well-known/openid-configuration", timeout=60))
    wanted = [path for path in sorted(HERE.glob("*.toml")) if not args.only or path.stem in args.only]
    if not wanted:
        raise SystemExit("no plan of that name")
    plans = [Plan(path, args, metadata) for path in wanted]
    for plan in [plan for plan in plans if plan.needs_certificates() and "mtls_endpoint_aliases" not in metadata]:
        print(f"left out: {plan.name}, for {args.issuer} takes no client certificates")
        plans.remove(plan)
    for plan in plans:
        plan.write()
    (args.out / "plans.txt").write_text("".join(plan.line() + "\n" for plan in plans))
    print(f"{len(plans)} plans in {args.out}")


main()
