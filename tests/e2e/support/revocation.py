"""Sites whose tokens can be revoked, and what every worker says about a token."""

from lab.issuer import Answer, JwksServer

from .bootstrap import Site
from .client import bearer, send, unique_path
from .wait import until
from .world import rule

WORKERS = 4
UNAVAILABLE = 503


class ListServer(JwksServer):
    """Serves a document; names it by an ETag if told to, and says then that nothing has changed."""

    etag = None

    def _answer_to(self, request):
        if self.etag and request.get("if-none-match") == self.etag:
            return Answer(status=304, headers={"etag": self.etag})
        return self.answer_with


def site(world, name, providers, **settings):
    """A site with a rule `/NAME/` for each of these `revocation`s by name."""
    named = {each: world.provider("a", revocation=revocation) for each, revocation in providers.items()}
    configuration = {"providers": named, "rules": [rule(f"/{each}/", each) for each in named], **settings}
    configuration["unavailable_status"] = UNAVAILABLE
    return Site(name, configuration, listener={"stat_prefix": name})


def denylist(cluster, uri, refresh="1s", timeout="5s", **changes):
    """A denylist's configuration."""
    return {"http_uri": {"uri": uri, "cluster": cluster, "timeout": timeout}, "refresh": refresh, **changes}


def verdict(envoy, name, token, prefix):
    """The status, and why the token is refused."""
    path = unique_path(prefix)
    status = send(envoy.port(name), path, bearer(token)).status
    return status if status == 200 else (status, envoy.denial(path)["reason"])


def on_every_worker(envoy, name, token, prefix):
    """What the workers say, each of them asked at least once."""
    port, before, said = envoy.port(name), _accepted(envoy, name), set()

    def all_have_been_asked():
        path = unique_path(prefix)
        said.update({send(port, path, bearer(token)).status for _ in range(WORKERS)})
        return all(now > earlier for now, earlier in zip(_accepted(envoy, name), before, strict=True))

    until(all_have_been_asked)
    return said


def _accepted(envoy, name):
    stats = [f"listener.{name}.worker_{number}.downstream_cx_total" for number in range(WORKERS)]
    return [envoy.stats(stat)[stat] for stat in stats]


def counted(envoy, name):
    """One of the filter's metrics."""
    name = f"wasmcustom.jwt_warden.{name}"
    return envoy.stats(name).get(name, 0)
