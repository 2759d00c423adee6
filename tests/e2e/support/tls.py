"""Certificates of the tests' own, and an issuer that speaks TLS with one."""

import asyncio
import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.issuer import JwksServer
from lab.keys import base64url


@dataclass
class Certificate:
    """A certificate with its private key; `file` holds both as PEM."""

    signed: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: Path

    @property
    def digest(self):
        """SHA-256 of its DER."""
        return self.signed.fingerprint(hashes.SHA256())

    @property
    def thumbprint(self):
        """That as `x5t#S256` (RFC 8705 section 3.1)."""
        return base64url(self.digest)


class TlsJwksServer(JwksServer):
    """A JWKS endpoint with a self-signed certificate for `host`; `certificate` is its file."""

    def __init__(self, host, folder, *keys):
        self.certificate = certificate(host, folder / f"{host}.pem").file
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate)
        super().__init__(*keys)

    async def _open(self):
        options = {"limit": 1 << 21, "ssl": self._context}
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port, **options)
        self.port = self._listening.sockets[0].getsockname()[1]


def certificate(host, file, authority=None, key=None, days=1, uris=()):
    """A new certificate for `host` and these URIs, valid for so many days, in `file`: self-signed, or followed by its
    `authority`'s."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    issuer, signer = (authority.signed.subject, authority.key) if authority else (name, key)
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.timezone.utc)
    dates = now - 2 * day, now + days * day
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number(), *dates)
    names = [x509.DNSName(host), *map(x509.UniformResourceIdentifier, uris)]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    signed = builder.sign(signer, hashes.SHA256())
    chain = [signed, authority.signed] if authority else [signed]
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + b"".join(link.public_bytes(pem) for link in chain))
    return Certificate(signed, key, file)
