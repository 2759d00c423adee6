"""I: iss, aud, sub and the other claims."""

from lab.tokens import compact, header, token

from .case import ACCEPT, recipe


@recipe("I01")
def issuer_forms(world):
    """Issuers that are not quite ours."""
    ours = world.issuer("a")
    forms = {
        "suffix": ours + "x",
        "suffix-path": ours + "../b",
        "suffix-host": ours[:-1] + ".attacker.example/",
        "prefix": "x" + ours,
        "cut": ours[:-1],
        "upper-case": ours.upper(),
        "upper-host": "https://A.example/",
        "http": ours.replace("https", "http"),
        "port": "https://a.example:443/",
        "user": "https://x@a.example/",
        "array": [ours],
        "array-of-two": [ours, "https://attacker.example/"],
        "object": {"url": ours},
        "null": None,
        "empty": "",
        "number": 1,
        "NUL": ours + "\0",
        "space": ours + " ",
        "newline": ours + "\n",
        "homoglyph": ours.replace("a.", "\u0430."),
        "other-issuer": world.issuer("b"),
        "percent": "https://%61.example/",
    }
    for name, issuer in forms.items():
        yield name, world.token(iss=issuer)


@recipe("I02")
def no_issuer(world):
    """iss missing."""
    yield "missing", world.token(iss=...)


@recipe("I03")
def issuer_of_another_key(world):
    """One issuer's name over another issuer's key, under a kid that both have; and two issuers."""
    yield "a-by-b", world.token(key=world.key("b", "rs256"))
    yield "b-by-a", world.token("b", key=world.key("a", "rs256")), {"provider": "b"}
    yield "a-for-b", world.token(), {"provider": "b"}
    yield "b-for-a", world.token("b")
    yield "twice", _with_extra(world, f'"iss":"{world.issuer("a")}"', iss=world.issuer("b"))
    yield "twice-reversed", _with_extra(world, f'"iss":"{world.issuer("b")}"')
    yield "twice-escaped", _with_extra(world, f'"\\u0069ss":"{world.issuer("a")}"', iss=world.issuer("b"))


@recipe("I04")
def audience_forms(world):
    """Audiences that are not quite ours."""
    forms = {
        "other": "other",
        "suffix": "api2",
        "prefix": "myapi",
        "cut": "ap",
        "upper-case": "API",
        "space-before": " api",
        "space-after": "api ",
        "space-separated": "api other",
        "comma-separated": "api,other",
        "NUL": "api\0",
        "newline": "api\n",
        "empty": "",
        "empty-array": [],
        "array-of-other": ["other", "another"],
        "array-of-empty": [""],
        "array-in-array": [["api"]],
        "array-with-number": ["api", 1],
        "array-with-null": [None, "api"],
        "object": {"api": True},
        "null": None,
        "number": 1,
        "bool": True,
        "wildcard": "*",
        "issuer": world.issuer("a"),
    }
    for name, audience in forms.items():
        yield name, world.token(aud=audience)


@recipe("I05")
def audience_folding(world):
    """Audiences that are ours only after a folding of scheme or slash."""
    for name, audience in {"https": "https://api", "http": "http://api", "slash": "api/"}.items():
        yield name, world.token(aud=audience)


@recipe("I06")
def audience_missing_or_twice(world):
    """aud missing, and twice."""
    yield "missing", world.token(aud=...)
    yield "twice", _with_extra(world, '"aud":"api"', aud="other")
    yield "twice-reversed", _with_extra(world, '"aud":"other"')


@recipe("I07")
def subject_forms(world):
    """sub that is not a string, or empty."""
    forms = {"number": 1, "null": None, "bool": True, "array": ["alice"], "object": {"id": "alice"}, "empty": ""}
    for name, subject in forms.items():
        yield name, world.token(sub=subject)


@recipe("I08")
def subject_twice(world):
    """sub twice; a member name that is special to others is just a name."""
    yield "twice", _with_extra(world, '"sub":"admin"')
    yield "escaped", _with_extra(world, '"\\u0073ub":"admin"')
    yield "__proto__", _with_extra(world, '"__proto__":{"sub":"admin"}'), {"expect": ACCEPT}


@recipe("I09")
def subjects_in_headers(world):
    """Claims that go upstream in a header."""
    for name, subject in {"CRLF": "alice\r\nx-admin: 1", "LF": "alice\n", "NUL": "al\0ice", "DEL": "al\x7fice"}.items():
        yield name, world.token(sub=subject)
    yield "64-KiB", world.token(sub="a" * 65_536)
    yield "non-ASCII", world.token(sub="\u00e9lise"), {"expect": ACCEPT, "user": "\u00e9lise"}


@recipe("I10")
def scopes(world):
    """Scopes that no rule asks for change nothing; malformed ones count as none."""
    yield "substring", world.token(scope="administrator"), {"expect": ACCEPT}
    yield "mixed-array", world.token(scope=["admin", 1, None]), {"expect": ACCEPT}


@recipe("I11")
def sender_constraints(world):
    """A token that is bound to a key or a certificate, without a proof (RFC 9449, RFC 8705)."""
    thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    for member in ("jkt", "x5t#S256", "jwk", "unknown"):
        yield member, world.token(cnf={member: thumbprint})
    yield "not-an-object", world.token(cnf=thumbprint)


def _with_extra(world, member, **changes):
    key = world.key("a", "rs256")
    payload = compact(world.claims(**changes)).decode()[:-1] + f",{member}}}"
    return token(key, header(key), payload)
