"""A certificate authority of our own, and a server's certificate that it has signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """Where the files are, all of them PEM."""

    authority: Path
    server: Path
    key: Path


def make_certificates(directory: Path, names: list[str]) -> Certificates:
    """Write a certificate for a server of these names, and that of the authority that vouches for it."""
    directory.mkdir(parents=True, exist_ok=True)
    found = Certificates(directory / "authority.pem", directory / "server.pem", directory / "key.pem")
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("tests of keepsake")
    authority = _builder(issuer, issuer, authority_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    found.authority.write_bytes(_pem(authority.sign(authority_key, hashes.SHA256())))
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    server = _builder(_name(names[0]), issuer, key).add_extension(alternatives, critical=False)
    found.server.write_bytes(_pem(server.sign(authority_key, hashes.SHA256())))
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    found.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    return found


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
