"""What it costs that a token is bound to its sender: a proof of possession per request, or a client certificate."""

import hashlib
import json
import multiprocessing
import os
import time
import uuid
from dataclasses import dataclass

from lab import tokens
from lab.keys import base64url, generate

from . import certificates, machine
from .bootstrap import bootstrap, listener, provider, tls_cluster, warden
from .load import drive
from .pools import AUDIENCE, ISSUER
from .proxy import FOLDER, Proxy
from .report import comparison
from .rounds import Sample, Series

HOT = 500
# More than are sent in a second: a proof counts once.
PROOFS = 30_000
# What Lua's side calls the server (tokens.lua).
HOST = "api.example"
_MEMORY = {"dpop": {"replay_memory": {"max_proofs": 5_000_000}}}


@dataclass(frozen=True)
class Kind:
    """Requests of one kind, and those that they are compared with."""

    name: str
    listener: str
    write: object  # writes what the next second sends: gives the file
    through_front: bool = False
    beside: int | None = None  # its place in the list


def measure(pace, tell):
    """Each kind, its series, and that of what it is compared with."""
    key = generate("ES256", "es256")
    proving = generate("ES256")
    client = certificates.write(FOLDER / "client.pem", "client")
    plain, bound = _hot(key, "plain", None), _hot(key, "certificate", {"x5t#S256": client})
    [proved] = _tokens(key, 1, {"jkt": _thumbprint(proving)})
    kinds = [
        Kind("bearer tokens", "http", lambda: plain),
        Kind("a token with a new ES256 proof each (DPoP)", "http", lambda: _proofs(proving, proved), beside=0),
        Kind("bearer tokens, client certificate", "https", lambda: plain, True),
        Kind("tokens bound to the certificate", "https", lambda: bound, True, beside=2),
    ]
    filters = warden(provider(key.jwk()), **_MEMORY)
    configuration = bootstrap({"http": filters})
    certificates.write(FOLDER / "server.pem", "server")
    configuration["static_resources"]["listeners"].append(_https(filters))
    with Proxy("sender", configuration) as proxy:
        front = listener("front", [], {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_to_proxy()]}]})
        behind = tls_cluster("proxy", proxy.port("https"), FOLDER / "client.pem")
        in_front = {**bootstrap({}), "static_resources": {"listeners": [front], "clusters": [behind]}}
        with Proxy("front", in_front, core=machine.core_of_load()) as front:
            samples = [[] for _ in kinds]
            for turn in range(1 + pace.starts * pace.rounds):
                for kind, taken in zip(kinds, samples, strict=True):
                    taken.append(_sample(proxy, front.url("front") if kind.through_front else None, kind, pace.seconds))
                tell(f"sender constraint, round {turn} of {pace.starts * pace.rounds}")
    series = [Series(taken[1:]) for taken in samples]
    besides = [None if kind.beside is None else series[kind.beside] for kind in kinds]
    return list(zip(kinds, series, besides, strict=True))


def table(measured):
    """Markdown: what each kind costs, and how much more that is than what it is compared with."""
    return comparison("sender constraint", [(kind.name, series, beside) for kind, series, beside in measured])


def _sample(proxy, url, kind, seconds):
    file = kind.write()
    before = proxy.cpu_microseconds()
    load = drive(url or proxy.url(kind.listener), file, seconds)
    cpu = (proxy.cpu_microseconds() - before) / load.requests
    return Sample(round(cpu, 3), round(load.per_second, 1), load.p50, load.p99)


def _tokens(key, count, confirmation):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 86400}
    # An unbound one has as many bytes.
    more = {"cnf": confirmation} if confirmation else {"con": {"x5t#S256": "x" * 43}}
    numbered = ({**claims, "sub": f"user-{number:08}", **more} for number in range(count))
    return [tokens.token(key, tokens.header(key), each) for each in numbered]


def _hot(key, name, confirmation):
    file = FOLDER / f"{name}.txt"
    file.write_text("\n".join(_tokens(key, HOT, confirmation)) + "\n")
    return file


def _proofs(key, token):
    file = FOLDER / "proofs.txt"
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0)), _take, (key, token)) as processes:
        file.write_text("\n".join(processes.map(_line, range(PROOFS), chunksize=500)) + "\n")
    return file


def _take(key, token):
    global _key, _token
    _key, _token = key, token


def _line(_number):
    """The token and a new proof (RFC 9449 section 4.2)."""
    digest = base64url(hashlib.sha256(_token.encode()).digest())
    claims = {"jti": str(uuid.uuid4()), "htm": "GET", "htu": f"http://{HOST}/", "iat": int(time.time()), "ath": digest}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": _public(_key)}
    return f"{_token} {tokens.token(_key, header, claims)}"


def _public(key):
    return {name: value for name, value in key.jwk().items() if name in ("crv", "kty", "x", "y")}


def _thumbprint(key):
    text = json.dumps(_public(key), sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())


def _https(filters):
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
    described = listener("https", filters, {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]})
    described["filter_chains"][0]["transport_socket"] = certificates.listening(FOLDER / "server.pem")
    return described


def _to_proxy():
    return {"match": {"prefix": "/"}, "route": {"cluster": "proxy"}}
