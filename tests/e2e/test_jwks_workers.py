"""One fetch per proxy: whatever the number of workers, listeners and plugins."""

import time
from collections import Counter

from support import load
from support.bootstrap import Site, direct_response
from support.client import bearer, send, unique_path
from support.remote import provider, remote_site
from support.wait import until
from support.world import rule

WORKERS = 4
PROVIDERS = 50


def test_one_fetch_at_start(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    site = remote_site(world, issuer)
    site.route = direct_response()
    envoy = launch(site, clusters={"issuer": issuer.port}, concurrency=WORKERS)
    good = load.request(world.token())
    results = load.run(envoy.port("remote"), [("good", good)] * 640, connections=64)
    assert load.statuses(results) == {200}
    assert len(issuer.fetches) == 1


def test_fifty_providers(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    names = [f"p{number}" for number in range(PROVIDERS)]
    providers = {name: provider(world, f"{issuer.uri}?{name}") for name in names}
    rules = [rule(f"/{name}/", name) for name in names]
    site = Site("remote", {"providers": providers, "rules": rules}, route=direct_response())
    begun = time.monotonic()
    envoy = launch(site, clusters={"issuer": issuer.port}, concurrency=WORKERS)
    token = world.token()
    requests = [(name, load.request(token, f"/{name}/")) for name in names] * 16
    results = load.run(envoy.port("remote"), requests, connections=32)
    print(f"{PROVIDERS} providers ready {time.monotonic() - begun:.1f} s after Envoy was started")
    assert load.statuses(results) == {200}
    fetches = Counter(fetch.target for fetch in issuer.fetches)
    assert fetches == {f"/jwks.json?{name}": 1 for name in names}


def test_listeners_and_plugins_share_a_fetch(launch, world, issuer):
    """Whatever the provider, the plugin and the listener are called, as long as the source is the same."""
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    sites = []
    for name in ("one", "two", "three"):
        configuration = {"providers": {f"of-{name}": provider(world, issuer.uri, timeout="30s")}, "realm": name}
        sites.append(Site(name, configuration, plugin={"name": name, "root_id": name}))
    envoy = launch(*sites, clusters={"issuer": issuer.port}, concurrency=WORKERS)
    until(lambda: issuer.fetches)
    issuer.release()
    for name in ("one", "two", "three") * 8:
        assert send(envoy.port(name), unique_path("/"), bearer(world.token())).status == 200
    assert len(issuer.fetches) == 1
