# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for the simulated fleet, and one certificate for each endpoint when it is first asked for."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from spnego.channel_bindings import GssChannelBindings

_VALID = timedelta(days=3650)


_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C


@dataclass(frozen=True)
class CertificateMapping:
    """Whose client certificates stand for the endpoint's account, as `WSMan:\\localhost\\ClientCertificate` keeps it.

    Windows names the issuer by its thumbprint and trusts it by its certificate store; here it is a file.
    """

    subject: str
    issuer: Path

    def accepts(self, certificate: bytes) -> bool:
        """TLS has verified the certificate; what remains is whether its user principal name is the mapped one."""
        return self.subject.lower() in (name.lower() for name in _principal_names(certificate))


def _principal_names(certificate: bytes) -> list[str]:
    """The names of type UPN, each the DER of a UTF8String shorter than 128 octets."""
    try:
        names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return []
    others = [name.value for name in names.value.get_values_for_type(x509.OtherName) if name.type_id == _PRINCIPAL_NAME]
    return [value[2:].decode() for value in others if value[0] == _UTF8_STRING and value[1] == len(value) - 2]


@dataclass(frozen=True)
class ServerIdentity:
    context: ssl.SSLContext
    bindings: GssChannelBindings
    """What a client that binds its login to the TLS channel must have seen (RFC 5929 tls-server-end-point)."""


class Authority:
    """Keys are made when TLS is first used: most fleets are spoken to over HTTP only."""

    def __init__(self, ca_file: Path) -> None:
        self.ca_file = ca_file
        self._now = datetime.now(timezone.utc)
        self._identities: dict[str, ServerIdentity] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Simulated fleet CA")
        self._certificate = (
            self._builder(name, name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)
        ca_file.write_bytes(self.pem)

    def identity(self, address: str, names: tuple[str, ...]) -> ServerIdentity:
        found = self._identities.get(address)
        if found is None:
            found = self._identities[address] = self._issue(address, names)
        return found

    def listening_context(
        self, address: str, names: tuple[str, ...], mapping: CertificateMapping | None
    ) -> ssl.SSLContext:
        """A context that costs nothing until a client says hello; only then is a certificate issued.

        Client certificates are asked for in the handshake. Windows asks later, when it has seen the request; and it
        takes any, to judge them above TLS.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if mapping is not None:
            context.verify_mode = ssl.CERT_OPTIONAL

        def on_hello(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self.identity(address, names).context
            if mapping is not None:  # the store is the new context's, the mode stays the old one's
                connection.context.load_verify_locations(mapping.issuer)

        context.sni_callback = on_hello
        return context

    @cached_property
    def _leaf_key(self) -> ec.EllipticCurvePrivateKey:
        """One key serves all endpoints: nobody attacks them, and keys are what costs time."""
        return ec.generate_private_key(ec.SECP256R1())

    def _issue(self, address: str, names: tuple[str, ...]) -> ServerIdentity:
        key = self._leaf_key
        certificate = (
            self._builder(_name(names[0]), self._certificate.subject, key.public_key())
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.IPAddress(ip_address(address)), *(x509.DNSName(name) for name in dict.fromkeys(names))]
                ),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # the ssl module takes certificates from files only
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
            file.flush()
            context.load_cert_chain(file.name)
        digest = certificate.fingerprint(hashes.SHA256())
        return ServerIdentity(context, GssChannelBindings(application_data=b"tls-server-end-point:" + digest))

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            # Real time, not the simulated clock: it is the client's own clock that judges a certificate.
            .not_valid_before(self._now - timedelta(days=1))
            .not_valid_after(self._now + _VALID)
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
