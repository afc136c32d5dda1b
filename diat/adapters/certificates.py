"""Certificates: a small authority of our own in the data directory, or what we are given.

The authority signs one certificate for this machine, with all names and addresses that it has, and one for
each gateway. Keys are readable by us alone. A certificate is made anew at a start when it ends within a month
or when the machine has other names; the authority's own lasts ten years.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import ifaddr
from msgspec import Struct

from diat.kernel.errors import SetupError
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import oid
else:
    x509 = Lazy("cryptography.x509")
    hashes = Lazy("cryptography.hazmat.primitives.hashes")
    serialization = Lazy("cryptography.hazmat.primitives.serialization")
    ec = Lazy("cryptography.hazmat.primitives.asymmetric.ec")
    oid = Lazy("cryptography.x509.oid")

LASTS = timedelta(days=397)
AUTHORITY_LASTS = timedelta(days=3650)
RENEWED_BEFORE = timedelta(days=30)
_EARLIER = timedelta(hours=1)
"""By how much a certificate holds before it is made: clocks of chips differ."""


class Tls(Struct, frozen=True):
    """What a server encrypts with.

    Attributes:
        certificate: PEM file of its certificate, with those between it and the authority's.
        key: PEM file of its key.
        authority: PEM file of the authority's certificate, which clients are given; None if others made it.
    """

    certificate: Path
    key: Path
    authority: Path | None = None


def given(certificate: Path, key: Path) -> Tls:
    """Certificate and key that a person brings.

    Raises:
        SetupError: they cannot be read, do not belong together, or have ended.
    """
    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
        public = serialization.load_pem_private_key(key.read_bytes(), None).public_key()
    except (OSError, ValueError, TypeError) as error:
        raise SetupError(f"--tls-cert {certificate}, --tls-key {key}: {error}") from None
    if public != leaf.public_key():
        raise SetupError(f"--tls-key {key} is not the key of --tls-cert {certificate}")
    if leaf.not_valid_after_utc <= datetime.now(UTC):
        raise SetupError(f"--tls-cert {certificate} ended on {leaf.not_valid_after_utc:%Y-%m-%d}")
    return Tls(certificate, key)


class Authority:
    """The authority of one data directory; made if there is none.

    Attributes:
        certificate: PEM file of its certificate.
    """

    def __init__(self, directory: Path) -> None:
        """Read or make it.

        Raises:
            SetupError: the directory cannot be used.
        """
        self._directory = directory
        self.certificate = directory / "ca.pem"
        key = directory / "ca.key"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.certificate.exists() and key.exists()):
                self._make(key)
            self._own = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            loaded = serialization.load_pem_private_key(key.read_bytes(), None)
        except (OSError, ValueError) as error:
            raise SetupError(f"the certificates in {directory} cannot be used: {error}") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise SetupError(f"{key} is no key of ours")
        self._key = loaded

    def server(self) -> Tls:
        """The certificate of this machine, made anew if need be."""
        certificate, key = self._directory / "server.pem", self._directory / "server.key"
        names = machine_names()
        if not self._stands(certificate, key, names):
            self._issue(certificate, key, names[0], names, oid.ExtendedKeyUsageOID.SERVER_AUTH)
        return Tls(certificate, key, self.certificate)

    def client(self, name: str, directory: Path) -> Tls:
        """A certificate by which a gateway is known, written as ``NAME.pem`` and ``NAME.key``."""
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        self._issue(certificate, key, name, (), oid.ExtendedKeyUsageOID.CLIENT_AUTH)
        return Tls(certificate, key, self.certificate)

    def fingerprint(self) -> str:
        """SHA-256 of its certificate, by which a person knows it again."""
        return self._own.fingerprint(hashes.SHA256()).hex(":").upper()

    def _make(self, path: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named(f"DIAT at {socket.gethostname()[:40]}")
        made = (
            _begun(name, name, key.public_key(), AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(path, _pem(key), 0o600)
        write_private(self.certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)

    def _issue(
        self, path: Path, key_path: Path, name: str, names: Iterable[str], use: x509.ObjectIdentifier
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _begun(_named(name), self._own.subject, key.public_key(), LASTS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        alternatives = [_alternative(each) for each in names]
        if alternatives:
            made = made.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        write_private(key_path, _pem(key), 0o600)
        write_private(
            path, made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644
        )

    def _stands(self, path: Path, key: Path, names: list[str]) -> bool:
        try:
            known = x509.load_pem_x509_certificate(path.read_bytes())
            known.verify_directly_issued_by(self._own)
            held = serialization.load_pem_private_key(key.read_bytes(), None).public_key()
            said = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except Exception:  # noqa: BLE001 - whatever is wrong with it, another one is made
            return False
        fresh = known.not_valid_after_utc - datetime.now(UTC) > RENEWED_BEFORE
        return fresh and held == known.public_key() and {_alternative(n) for n in names} <= set(said)


def machine_names() -> list[str]:
    """The names and addresses of this machine, its host name first."""
    host = socket.gethostname().partition(".")[0].lower() or "diat"
    found = [host, f"{host}.local", "localhost", "127.0.0.1", "::1"]
    with contextlib.suppress(OSError):
        for adapter in ifaddr.get_adapters():
            for each in adapter.ips:
                text = each.ip if isinstance(each.ip, str) else each.ip[0]
                found.append(text.partition("%")[0])
    return list(dict.fromkeys(found))


def _alternative(name: str) -> x509.GeneralName:
    try:
        address: IPv4Address | IPv6Address = ip_address(name)
    except ValueError:
        return x509.DNSName(name)
    return x509.IPAddress(address)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, name[:64])])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file at once, never readable by more than it is to be in the end."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)
