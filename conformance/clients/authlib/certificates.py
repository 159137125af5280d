"""Certificates for clients: by an authority, or by themselves. Each as PEM, with its key as PEM."""

import datetime
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey


def _certificate(subject, key, issuer, issuer_key, host=None):
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
    made = made.not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    if host:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def _named(name):
    parts = [(NameOID.COUNTRY_NAME, "VN"), (NameOID.ORGANIZATION_NAME, "Cổng thử"), (NameOID.COMMON_NAME, name)]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _written(certificate, key):
    private = serialization.PrivateFormat.PKCS8
    encoding = serialization.Encoding.PEM
    return certificate.public_bytes(encoding), key.private_bytes(encoding, private, serialization.NoEncryption())


def issued(authority, name, host=None):
    """By the authority kept in a directory: certificate, key and subject (RFC 4514)."""
    issuer = x509.load_pem_x509_certificate((authority / "ca.pem").read_bytes())
    issuer_key = serialization.load_pem_private_key((authority / "ca.key").read_bytes(), None)
    key, subject = ec.generate_private_key(ec.SECP256R1()), _named(name)
    made = _certificate(subject, key, issuer.subject, issuer_key, host)
    return *_written(made, key), subject.rfc4514_string()


def self_signed(name):
    """By itself: certificate, key, and the public key to register."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), _named(name)
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    jwk = ECKey.import_key(key.public_key().public_bytes(serialization.Encoding.PEM, public))
    jwk = {**jwk.as_dict(private=False), "kid": secrets.token_urlsafe(8)}
    return *_written(_certificate(subject, key, subject, key), key), jwk
