"""F: tokens that are not exactly a compact JWS of two JSON objects."""

import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab.keys import base64url
from lab.tokens import compact, header, sign_segments, signing_input

from .case import ACCEPT, recipe

# NUL, CR and LF are Envoy's own to refuse: they never reach a filter.
FOREIGN = ["+", "/", "=", "~", "!", ",", ";", ":", " ", "\t", "%", "\u00e9"]
SUFFIXES = [".", "..", "=", " x", ",", ";", "\u200b", ".e30", "#", "%00"]
PREFIXES = ["Bearer ", "JWT ", '"', "=", "."]
NOT_A_CLAIMS_OBJECT = {
    "empty": b"",
    "null": b"null",
    "true": b"true",
    "number": b"17",
    "string": b'"claims"',
    "array": b"[]",
    "array-around": lambda good: b"[" + good + b"]",
    "trailing": lambda good: good + b"x",
    "two": lambda good: good + good,
    "bom": lambda good: b"\xef\xbb\xbf" + good,
    "utf-16": lambda good: good.decode().encode("utf-16"),
    "invalid-utf-8": lambda good: good.replace(b"alice", b"\xff\xfe"),
    "comment": lambda good: good[:-1] + b"/**/}",
    "trailing-comma": lambda good: good[:-1] + b",}",
    "single-quotes": lambda good: good.replace(b'"', b"'"),
    "NaN": lambda good: good[:-1] + b',"x":NaN}',
    "lone-surrogate": lambda good: good[:-1] + b',"x":"\\ud800"}',
    "control-character": lambda good: good[:-1] + b',"x":"\x01"}',
    "cut": lambda good: good[:-1],
    "depth-33": lambda good: good[:-1] + b',"x":' + b"[" * 32 + b"]" * 32 + b"}",
}


@recipe("F01")
def segments(world):
    """Any number of segments but three."""
    head, payload, signature = world.token().split(".")
    yield "0", ""
    yield "1", head
    yield "2", f"{head}.{payload}"
    yield "4", f"{head}.{payload}.{signature}.{signature}"
    yield "5", f"{head}.{payload}.{signature}.{signature}.{signature}"
    yield "4-empty-last", f"{head}.{payload}.{signature}."
    yield "4-empty-first", f".{head}.{payload}.{signature}"
    yield "empty-header", f".{payload}.{signature}"
    yield "empty-payload", f"{head}..{signature}"
    yield "dots", ".."


@recipe("F02")
def dots(world):
    """Very many dots."""
    yield "only", "." * 60_000
    yield "after", world.token() + "." * 60_000


@recipe("F03")
def padded(world):
    """Padding in each segment; signed where that is possible."""
    head, payload, signature = world.token().split(".")
    key = world.key("a", "rs256")
    yield "header", sign_segments(key, f"{head}=.{payload}")
    yield "payload", sign_segments(key, f"{head}.{payload}=")
    yield "signature", f"{head}.{payload}.{signature}=="


@recipe("F04")
def foreign_characters(world):
    """A foreign character within each segment; signed where that is possible."""
    key = world.key("a", "rs256")
    head, payload, signature = world.token().split(".")
    for character in FOREIGN:
        name = ascii(character)
        yield f"header-{name}", sign_segments(key, f"{_amid(head, character)}.{payload}")
        yield f"payload-{name}", sign_segments(key, f"{head}.{_amid(payload, character)}")
        yield f"signature-{name}", f"{head}.{payload}.{_amid(signature, character)}"


@recipe("F05")
def standard_alphabet(world):
    """A signed payload in standard base64."""
    payload = json.dumps(world.claims(note="\u00fb\u00ff\u00be?>~" * 3), ensure_ascii=False)
    head = signing_input(header(world.key("a", "rs256")), payload)
    assert "-" in head or "_" in head
    yield "payload", sign_segments(world.key("a", "rs256"), head.replace("-", "+").replace("_", "/"))


@recipe("F06")
def trailing_bits_in_the_signature(world):
    """The last character carries bits that mean nothing."""
    yield "rs256", _next_character(world.token())
    yield "es256", _next_character(world.token(kid="es256"))


@recipe("F07")
def trailing_bits_in_the_payload(world):
    """The same in the payload, and signed so."""
    first_two = _with_remainder(world)
    yield "payload", sign_segments(world.key("a", "rs256"), _next_character(first_two))


@recipe("F08")
def impossible_length(world):
    """A segment whose length leaves 1 when divided by 4."""
    head, payload, signature = world.token().split(".")
    payload += "A" * ((1 - len(payload)) % 4)
    yield "payload", sign_segments(world.key("a", "rs256"), f"{head}.{payload}")
    yield "signature", f"{head}.{payload}.{signature + 'AAA'}"


@recipe("F09")
def suffixes(world):
    """Something behind a valid token."""
    for suffix in SUFFIXES:
        yield ascii(suffix), world.token() + suffix


@recipe("F10")
def prefixes(world):
    """Something before a valid token."""
    for prefix in PREFIXES:
        yield ascii(prefix), prefix + world.token()


@recipe("F11")
def disguised_dots(world):
    """Dots that only become dots after a normalisation."""
    yield "percent", world.token().replace(".", "%2e")
    yield "full-width", world.token().replace(".", "\uff0e")


@recipe("F12")
def json_serialization(world):
    """The flattened and the general JSON serialization (RFC 7515 section 7.2)."""
    head, payload, signature = world.token().split(".")
    yield "flattened", json.dumps({"payload": payload, "protected": head, "signature": signature})
    yield "general", json.dumps({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})


@recipe("F13")
def polyglot(world):
    """A text that is JSON to one reader and compact to another."""
    head, payload, signature = world.token().split(".")
    forged = base64url(compact(world.claims(sub="admin")))
    polyglot = f'{{"  {head}.{forged}.":"","protected":"{head}","payload":"{payload}","signature":"{signature}"}}'
    yield "polyglot", polyglot


@recipe("F14")
def encrypted(world):
    """JWE to the issuer's public key, around a signed and around an unsigned token."""
    unsigned = signing_input({"alg": "none"}, world.claims(sub="admin")) + "."
    yield "jwe", _encrypted(world, world.token())
    yield "jwe-around-unsigned", _encrypted(world, unsigned)


@recipe("F15")
def not_a_claims_object(world):
    """Signed payloads that are not one JSON object in UTF-8."""
    key = world.key("a", "rs256")
    good = compact(world.claims())
    for name, payload in NOT_A_CLAIMS_OBJECT.items():
        payload = payload(good) if callable(payload) else payload
        yield name, sign_segments(key, signing_input(header(key), payload))


@recipe("F15-header")
def not_a_header_object(world):
    """The same for the header."""
    key = world.key("a", "rs256")
    good = compact(header(key))
    for name in ("null", "array-around", "trailing", "bom", "utf-16", "comment", "NaN", "lone-surrogate", "depth-33"):
        form = NOT_A_CLAIMS_OBJECT[name]
        text = form(good) if callable(form) else form
        yield name, sign_segments(key, signing_input(text, world.claims()))


@recipe("F16")
def large(world):
    """Valid tokens around `max_token_bytes`, which is 16384."""
    for size, expect in ((8_192, ACCEPT), (16_384, ACCEPT), (16_385, None), (65_536, None), (262_144, None)):
        yield str(size), _of_size(world, size), {"expect": expect} if expect else {}


@recipe("F17")
def critical_header_members(world):
    """Header members that change the meaning of the token, and that are not understood (RFC 7515 section 4.1.11)."""
    members = {
        "crit-empty": {"crit": []},
        "crit-exp": {"crit": ["exp"], "exp": 1},
        "crit-unknown": {"crit": ["x"], "x": 1},
        "crit-null": {"crit": None},
        "b64-false": {"b64": False},
        "b64-crit": {"b64": False, "crit": ["b64"]},
        "zip": {"zip": "DEF"},
        "cty": {"cty": "JWT"},
        "enc": {"enc": "A256GCM"},
        "p2c": {"p2c": 2**31},
        "typ-foreign": {"typ": "dpop+jwt"},
        "typ-logout": {"typ": "logout+jwt"},
        "typ-array": {"typ": ["JWT"]},
        "kid-null": {"kid": None},
        "kid-number": {"kid": 1},
        "kid-unknown": {"kid": "unknown"},
        "kid-empty": {"kid": ""},
        "kid-path": {"kid": "../../../../dev/null"},
        "kid-sql": {"kid": "x' UNION SELECT 'key"},
    }
    for name, changes in members.items():
        yield name, world.token(head=changes)


@recipe("F18")
def duplicate_header_members(world):
    """A member name twice in the header (RFC 7515 section 4)."""
    key = world.key("a", "rs256")
    for name, member in {"alg": '"alg":"none"', "escaped": '"\\u0061lg":"none"', "kid": '"kid":"rsa"'}.items():
        text = compact(header(key)).decode()[:-1] + "," + member + "}"
        yield name, sign_segments(key, signing_input(text, world.claims()))


def _amid(segment, character):
    middle = len(segment) // 2
    return segment[:middle] + character + segment[middle:]


def _next_character(text):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def _with_remainder(world):
    for filler in ("", "x", "xx"):
        payload = compact(world.claims(note=filler))
        if len(payload) % 3:
            return signing_input(header(world.key("a", "rs256")), payload)
    raise AssertionError("one of three lengths has a remainder")


def _encrypted(world, content):
    public = world.key("a", "rsa").private.public_key()
    head = base64url(compact({"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT", "kid": "rsa"}))
    content_key, nonce = os.urandom(32), os.urandom(12)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    sealed = AESGCM(content_key).encrypt(nonce, content.encode(), head.encode())
    parts = (public.encrypt(content_key, oaep), nonce, sealed[:-16], sealed[-16:])
    return ".".join([head, *(base64url(part) for part in parts)])


def _of_size(world, size):
    """A valid token of exactly that many bytes: a filler in the claims, the rest in the header."""
    for spare in range(8):
        head = {"x": "." * spare}
        empty = len(world.token(head=head, note=""))
        for filler in range((size - empty) * 3 // 4 - 4, (size - empty) * 3 // 4 + 5):
            token = signing_input(header(world.key("a", "rs256"), **head), world.claims(note="x" * filler))
            if len(token) + 1 + 342 == size:
                return sign_segments(world.key("a", "rs256"), token)
    raise AssertionError(f"no token of {size} bytes")
