# SPDX-License-Identifier: GPL-3.0-or-later
"""Client certificates as a Windows CA issues them to log in with: the user's principal name is in them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY_PASSWORD = "Kq3-Key_wort-5!"
_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


class ClientAuthority:
    """Writes PEM files into a directory; `ca` is its own certificate's."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Clients' CA")
        signed = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = self._write("ca.pem", signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, principal: str, password: str | None = None) -> tuple[Path, Path]:
        """The files of a certificate for *principal*, such as USER@DOMAIN, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = principal.encode()
        other = x509.OtherName(_PRINCIPAL_NAME, bytes([0x0C, len(encoded)]) + encoded)
        signed = (
            self._builder(_name(principal), key.public_key())
            .add_extension(x509.SubjectAlternativeName([other]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        protection = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        kind = "-encrypted" if password else ""
        return (
            self._write(f"{principal}{kind}.pem", signed.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{principal}{kind}.key", secret),
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = self._directory / name
        path.write_bytes(content)
        return path


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
