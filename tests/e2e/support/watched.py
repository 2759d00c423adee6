"""A site whose metrics are watched: a provider with fetched keys, one with its own, and one whose issuer is down."""

from .bootstrap import Site, route_config
from .prometheus import stats_config
from .remote import provider
from .revocation import denylist
from .world import rule

PLUGIN = {"failure_policy": "FAIL_RELOAD"}
BACKOFF = {"base_interval": "0.2s", "max_interval": "1s"}


def site(world, acme, idp, limit=1000, route=None, **changes):
    """Rules /acme/, /partner/ and /down/; /public asks for nothing. `changes`: to `remote_jwks`."""
    settings = {"cache_duration": "4s", "max_stale": "1h", "backoff": BACKOFF, **changes}
    revocation = {"denylists": [denylist("idp", idp.uri, refresh="2s")]}
    providers = {
        "acme": {**provider(world, acme.uri, cluster="acme", **settings), "revocation": revocation},
        "partner": world.provider("b"),
        "down": {
            **provider(world, "http://127.0.0.1/jwks.json", cluster="down", **settings),
            "issuer": "https://down.example/",
        },
    }
    rules = [*(rule(f"/{name}/", name) for name in providers), {"match": {"prefix": "/public"}}]
    attempts = {"limit": limit, "window": "60s"}
    configuration = {"providers": providers, "rules": rules, "failed_attempts": attempts}
    manager = route_config(route) if route else {}
    return Site("watched", configuration, plugin=PLUGIN, manager=manager)


def clusters(acme, idp, down):
    """The clusters that the site needs; nobody listens on the port `down`."""
    return {"acme": acme.port, "idp": idp.port, "down": down}


def changes():
    """What the bootstrap needs: the labels, and histograms that are there at once."""
    return {"stats_config": stats_config(), "stats_flush_interval": "0.5s"}
