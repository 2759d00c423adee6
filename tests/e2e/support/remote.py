"""Sites whose keys are fetched."""

from .bootstrap import Site
from .client import bearer, send, unique_path
from .world import rule


def provider(world, uri, cluster="issuer", timeout="5s", **changes):
    """Provider `a`, its keys fetched; `changes` to `remote_jwks`."""
    settings = {"http_uri": {"uri": uri, "cluster": cluster, "timeout": timeout}, **changes}
    remote = world.provider("a", remote_jwks=settings)
    del remote["local_jwks"]
    return remote


def remote_site(world, issuer, **changes):
    """One provider with fetched keys for every path."""
    return Site("remote", {"providers": {"a": provider(world, issuer.uri, **changes)}, "rules": [rule("/", "a")]})


def status(envoy, token, prefix="/"):
    """The status that the token gets."""
    return send(envoy.port("remote"), unique_path(prefix), bearer(token)).status
