"""Self-signed certificates, and the TLS contexts that show them."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.keys import base64url

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."


def write(file, name):
    """Writes a certificate and its key: gives its `x5t#S256` (RFC 8705 section 3.1)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    public = key.public_key()
    builder = x509.CertificateBuilder(subject, subject, public, x509.random_serial_number(), now - day, now + day)
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + signed.public_bytes(pem))
    return base64url(signed.fingerprint(hashes.SHA256()))


def listening(file):
    """A listener that asks for certificates, and takes any: a token says which one counts."""
    untrusted = {"validation_context": {"trust_chain_verification": "ACCEPT_UNTRUSTED"}}
    return _socket("DownstreamTlsContext", {**_own(file), **untrusted})


def calling(file):
    """A cluster that shows this certificate."""
    return _socket("UpstreamTlsContext", _own(file))


def _own(file):
    return {
        "tls_certificates": [{"certificate_chain": {"filename": str(file)}, "private_key": {"filename": str(file)}}]
    }


def _socket(context, common):
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": _TLS + context, "common_tls_context": common},
    }
