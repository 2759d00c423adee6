"""The memory is gone, the VM's or the proxy's: nothing passes unchecked."""

import json
import re
import resource
import uuid
from pathlib import Path

import pytest

from lab.issuer import Answer
from support import broken
from support.bootstrap import Site
from support.client import Exchange, bearer, head, send, unique_path
from support.revocation import ListServer, denylist
from support.wait import until

# Enough for the module and its keys, and not for the list below.
PAGES = 48
ENTRIES = 100_000
# What the proxy may take beyond what it has once it is up.
MORE_BYTES = 4 << 20


@pytest.fixture
def lists():
    """A denylist of the test's own."""
    server = ListServer()
    yield server
    server.stop()


def test_a_list_that_the_vm_has_no_memory_for(launch, world, upstream, lists, tmp_path):
    """The VM runs out of memory when the list comes, and so does every one that is loaded in its place."""
    (tmp_path / "small.wasm").write_bytes(broken.with_memory_for(PAGES))
    vm = {
        "vm_id": "small",
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": str(tmp_path / "small.wasm")}},
    }
    policy = {"failure_policy": "FAIL_RELOAD", "reload_config": {"backoff": {"base_interval": "0.1s"}}}
    revocation = {"denylists": [denylist("lists", lists.uri, timeout="5s")]}
    configuration = {"providers": {"a": world.provider("a", revocation=revocation)}}
    lists.answer_with = Answer(json.dumps({"jti": ["gone", *(str(uuid.uuid4()) for _ in range(ENTRIES))]}).encode())
    site = Site("site", configuration, plugin={"vm_config": vm, **policy})
    envoy = launch(site, clusters={"lists": lists.port}, concurrency=2)
    port, path = envoy.port("site"), unique_path("/a/")
    tokens = [world.token(), world.token(jti="gone"), world.token(key=world.key("b", "rs256"))]
    reloads = "wasm.jwt_warden.vm_reload_success"
    seen = set()

    def has_failed_several_times():
        seen.update(send(port, path, bearer(token)).status for token in tokens)
        return envoy.stats(reloads).get(reloads, 0) >= 3

    until(has_failed_several_times)
    # A VM is loaded with the request that finds none, which is why hardly anybody sees a 503.
    assert seen <= {401, 503}
    assert [request for request in upstream.requests if request.target == path] == []
    lists.answer_with = Answer(b'{"jti": ["gone"]}')
    until(lambda: [send(port, "/a/", bearer(token)).status for token in tokens] == [200, 401, 401])


def test_a_proxy_without_memory(launch, world, upstream):
    """Whatever fails then, the VM or the whole proxy: nobody gets in who should not."""
    envoy = launch(Site("site", world.configuration()), concurrency=2)
    port, path = envoy.port("site"), unique_path("/a/")
    good, forged = world.token(), world.token(key=world.key("b", "rs256"))
    assert (send(port, "/a/", bearer(good)).status, send(port, path, bearer(forged)).status) == (200, 401)
    pid = envoy.process.pid
    has = int(re.search(r"VmData:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) << 10
    resource.prlimit(pid, resource.RLIMIT_DATA, (has + MORE_BYTES,) * 2)
    padding = [(f"x-padding-{number}", "x" * 60_000) for number in range(8)]
    clients, failed, seen = [], False, set()
    for _ in range(200):
        try:
            # Heads that never end stay in the proxy's memory.
            clients.append(Exchange(port, head("/a/", [*bearer(good), *padding])[:-2]))
            seen.add(send(port, path, bearer(forged)).status)
        except OSError:
            failed = True
            break
    print(f"after {len(clients)} heads: {seen}, exit code {envoy.process.poll()}")
    for client in clients:
        client.reset()
    assert failed or 503 in seen
    assert seen <= {401, 503}
    assert [request for request in upstream.requests if request.target == path] == []
