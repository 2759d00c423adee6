"""The proxy and what stands around it: issuers, a denylist, a service that is asked about tokens."""

import json

from lab.issuer import Answer, JwksServer
from support import bootstrap
from support.bootstrap import BareSite, Site, direct_response
from support.envoy import Envoy
from support.handbook import blocks
from support.revocation import ListServer, denylist
from support.services import free_port
from support.world import jwks, rule
from support.xds import Files

from .tokens import AUDIENCE, USER_HEADER, Issuer

# Seconds: how long documents and answers count.
CACHE, STALE, REFRESH, TTL, WINDOW = 4, 2, 2, 2, 20
# What a machine at full load may be late by; and longer than its servers take to answer, if they do.
SLACK = TIMEOUT = 5
LIMIT = 5
BACKOFF = {"base_interval": "0.2s", "max_interval": "1s"}
# Caches that are full before the memory is looked at: who is locked out brings a few new tokens only, now and then.
CACHED, CACHED_OF_CLIENTS = 2000, 100


class Scene:
    """Everything but the load. `broken` leaves out what it names: the soak has to notice."""

    def __init__(self, folder, workers, broken=None):
        self.folder, self.workers = folder, workers
        self.idp, self.short = Issuer("idp", "ES256", "RS256", "EdDSA"), Issuer("short", "ES256")
        self.asked, self.guard, self.moving = (Issuer(name, "ES256") for name in ("asked", "guard", "moving"))
        self.jwks, self.short_jwks = JwksServer(*self.idp.keys), JwksServer(*self.short.keys)
        self.denylist, self.service = ListServer(), Service()
        self.revoke([])
        self._files, self.moving_port = Files(folder), free_port()
        self.accept(AUDIENCE)
        self._broken = broken

    def start(self, filtered=True):
        """Starts the proxy; without the filter, for the memory that it takes by itself."""
        ports = {"idp": self.jwks.port, "short": self.short_jwks.port}
        ports |= {"denylist": self.denylist.port, "service": self.service.port, "upstream": self.jwks.port}
        sites = self._sites() if filtered else [BareSite(site.name, None) for site in self._sites()]
        folder = self.folder / ("proxy" if filtered else "bare")
        folder.mkdir(exist_ok=True)
        configuration = {**bootstrap.bootstrap(sites, ports, folder), **(self._files.changes if filtered else {})}
        return Envoy(folder, configuration, concurrency=self.workers, log_level="wasm:info", drain_seconds=2)

    def revoke(self, token_ids):
        """What the denylist holds from now on, and much else."""
        others = [f"other-{number}" for number in range(100)]
        self.denylist.answer_with = Answer(json.dumps({"jti": [*others, *token_ids]}).encode())

    def accept(self, audience):
        """Updates the listener `moving`: its plugin accepts this audience."""
        provider = {**_local(self.moving), "audiences": [audience]}
        listener = {"address": bootstrap.address(self.moving_port)}
        self._files.set_listeners(_site("moving", {"moving": provider}, listener=listener))

    def stop(self):
        """Ends the servers."""
        for server in (self.jwks, self.short_jwks, self.denylist, self.service):
            server.stop()

    def _sites(self):
        lists = {
            "revocation": {
                "denylists": [denylist("denylist", self.denylist.uri, refresh=f"{REFRESH}s", timeout=f"{TIMEOUT}s")]
            }
        }
        providers = {
            "idp": {**_remote(self.idp, self.jwks, max_stale="1h"), **({} if self._broken == "denylist" else lists)},
            "short": _remote(self.short, self.short_jwks, max_stale=f"{STALE}s"),
            "asked": {**_local(self.asked), "revocation": {"lookup": _lookup(self.service)}},
        }
        main = _site("main", providers, token_cache={"max_entries": CACHED})
        main.configuration["rules"].append({"match": {"prefix": "/public"}})
        attempts = {"limit": LIMIT, "window": f"{WINDOW}s"}
        cache = {"max_entries": CACHED_OF_CLIENTS}
        guard = _site("guard", {"guard": _local(self.guard)}, failed_attempts=attempts, token_cache=cache)
        guard.configuration["trusted_proxies"] = {"addresses": ["127.0.0.0/8"]}
        guard.manager |= blocks().peer
        return [main, guard]


class Service(JwksServer):
    """Is asked about tokens by their `jti`: 200 says that one is revoked."""

    revoked = frozenset()
    is_up = True

    def _answer_to(self, request):
        token_id = request.target.rsplit("/", 1)[1]
        return Answer(status=500 if not self.is_up else 200 if token_id in self.revoked else 404)


def _site(name, providers, listener=(), **settings):
    """A listener whose answers tell the user that an upstream would be told."""
    rules = [rule(f"/{provider}/", provider) for provider in providers]
    told = {"header": {"key": USER_HEADER, "value": f"%REQ({USER_HEADER})%"}, "keep_empty_value": False}
    route = {**direct_response(), "response_headers_to_add": [told]}
    configuration = {"providers": providers, "rules": rules, **settings}
    # A line per request would fill the disk.
    manager = {"access_log": []}
    return Site(name, configuration, route=route, manager=manager, listener=dict(listener), all_lines=False)


def _provider(issuer, **source):
    told = [{"header_name": USER_HEADER, "claim_name": "sub"}]
    return {"issuer": issuer.issuer, "audiences": [AUDIENCE], "claim_to_headers": told, **source}


def _local(issuer):
    return _provider(issuer, local_jwks={"inline_string": jwks(issuer.keys)})


def _remote(issuer, server, **settings):
    uri = {"uri": server.uri, "cluster": issuer.name, "timeout": f"{TIMEOUT}s"}
    times = {"cache_duration": f"{CACHE}s", "unknown_kid_interval": "0.5s", "backoff": BACKOFF}
    return _provider(issuer, remote_jwks={"http_uri": uri, **times, **settings})


def _lookup(service):
    uri = {"uri": "http://127.0.0.1/revoked/{jti}", "cluster": "service", "timeout": f"{TIMEOUT}s"}
    return {"http_uri": uri, "ttl": f"{TTL}s", "revoked_when": {"status": 200}}
