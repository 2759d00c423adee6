"""An issuer that speaks TLS, with a certificate of its own."""

import asyncio
import datetime
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.issuer import JwksServer


class TlsJwksServer(JwksServer):
    """A JWKS endpoint with a self-signed certificate for `host`; `certificate` is its file."""

    def __init__(self, host, folder, *keys):
        self.certificate = folder / f"{host}.pem"
        self.certificate.write_bytes(_self_signed(host))
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate)
        super().__init__(*keys)

    async def _open(self):
        options = {"limit": 1 << 21, "ssl": self._context}
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port, **options)
        self.port = self._listening.sockets[0].getsockname()[1]


def _self_signed(host):
    """Private key and certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *pem) + certificate
