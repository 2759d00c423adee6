"""Who may speak for the client: over plain HTTP and TLS, through a second Envoy, and in the name of others."""

from types import SimpleNamespace

import pytest

from support.bootstrap import TYPE, BareSite, Site, cluster
from support.client import bearer, send, unique_path
from support.handbook import blocks
from support.tls import certificate
from support.tls_client import TlsClient
from support.world import rule

pytestmark = pytest.mark.matrix

PASSES = "passes"
EXPOSED = "tls_required"
HTTPS, HTTP = ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")
LOCAL, ELSEWHERE = ["127.0.0.0/8"], ["192.0.2.0/24"]
GATEWAY = "spiffe://mesh.example/gateway"
ANOTHER = "the client has shown another certificate"
NONE_FORWARDED = "the trusted proxy has forwarded no client certificate"
SPOOFED = ["192.0.2.1", "192.0.2.1:4711", "192.0.2.1, 192.0.2.1", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"]
MANAGERS = {
    "recipe": blocks().peer,
    "default": {},
    "remote": {"use_remote_address": True},
    "hops": {"use_remote_address": True, "xff_num_trusted_hops": 1},
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Those of the proxies, which one authority has signed, and those of the clients, which another has."""
    folder = tmp_path_factory.mktemp("certificates")
    proxies = certificate("proxies", folder / "proxies.pem")
    clients = certificate("clients", folder / "clients.pem")
    return SimpleNamespace(
        server=certificate("api.example", folder / "server.pem"),
        proxies=proxies,
        clients=clients,
        gateway=certificate("gateway.example", folder / "gateway.pem", proxies, uris=[GATEWAY]),
        other=certificate("other.example", folder / "other.pem", proxies, uris=[GATEWAY + "2"]),
        alice=certificate("alice", folder / "alice.pem", clients, uris=["spiffe://a/?x=1"]),
        bob=certificate("bob", folder / "bob.pem", clients),
        mallory=certificate("mallory", folder / "mallory.pem", clients, uris=[f"spiffe://m;Hash={'ab' * 32}"]),
    )


def asking(certificates, authority):
    """The filter chain of docs/envoy.md, which asks for certificates of this authority."""
    chain = blocks().certificates
    context = chain["transport_socket"]["typed_config"]["common_tls_context"]
    [own] = context["tls_certificates"]
    own["certificate_chain"] = own["private_key"] = {"filename": str(certificates.server.file)}
    context["validation_context"]["trusted_ca"]["filename"] = str(authority.file)
    return chain


@pytest.fixture(scope="module")
def envoy(launch, world, certificates):
    """The sites are named by their connection manager, and by whom they trust: nearby, elsewhere or nobody."""

    def configuration(**changes):
        provider = world.provider("a", from_headers=[{"name": "authorization", "value_prefix": "Bearer "}])
        query = world.provider("b", from_params=["token"])
        optional = {"match": {"prefix": "/optional/"}, "requires": {"allow_missing_or_failed": {}}}
        rules = [rule("/a/", "a"), rule("/b/", "b"), optional, {"match": {"prefix": "/public/"}}]
        return {"providers": {"a": provider, "b": query}, "rules": rules, "require_tls": True, **changes}

    def trusting(**proxies):
        return configuration(trusted_proxies=proxies)

    tls = asking(certificates, certificates.proxies)
    by_name = {"certificates": [{"uri_san": GATEWAY}], "client_certificate": True}
    sites = [Site("nobody", configuration()), Site("nobody_tls", configuration(), chain=tls)]
    for name, manager in MANAGERS.items():
        sites.append(Site(f"{name}_nearby", trusting(addresses=LOCAL), manager=manager))
        sites.append(Site(f"{name}_elsewhere", trusting(addresses=ELSEWHERE), manager=manager))
        sites.append(Site(f"{name}_tls", trusting(addresses=LOCAL), manager=manager, chain=tls))
    named = {"forward": blocks().forward_certificate, "append": {"forward_client_cert_details": "APPEND_FORWARD"}}
    for name, manager in named.items():
        sites.append(Site(f"named_{name}", trusting(**by_name), manager=manager, chain=tls))
    dns = {"certificates": [{"dns_san": "gateway.example"}]}
    sites.append(Site("named_dns", trusting(**dns), chain=tls))
    always = {"forward_client_cert_details": "ALWAYS_FORWARD_ONLY"}
    plain = {"trusted_proxies": {"addresses": ELSEWHERE, "client_certificate": True}, "require_tls": False}
    sites.append(Site("forwarding_plain", configuration(**plain), manager=always))
    return launch(*sites)


@pytest.fixture(scope="module")
def ask(envoy, world):
    """Sends a token and says whether it passes, or why it does not."""

    def ask(site, *headers, prefix="/a/", client=None, token=None):
        path = unique_path(prefix)
        over = client.send if client else send
        return verdict(envoy, path, over(envoy.port(site), path, [*bearer(token or world.token()), *headers]))

    return ask


def verdict(envoy, path, answer):
    """The answer in a word: the detail where the sender was not the right one."""
    if answer.status == 200:
        return PASSES
    denial = envoy.denial(path)
    return denial["detail"] if denial["reason"] == "sender_constraint" else denial["reason"]


@pytest.fixture(scope="module")
def client(certificates):
    """A client of the tests' servers: `client(certificate=None)`."""
    return lambda *arguments: TlsClient(certificates.server, *arguments)


def forwarded(value):
    """The address that a request claims to come from."""
    return ("x-forwarded-for", value)


def test_without_a_trusted_proxy_the_connection_counts(ask, client):
    for headers in ([], [HTTPS], [HTTPS, forwarded("127.0.0.1")]):
        assert ask("nobody", *headers) == EXPOSED
        assert ask("nobody_tls", *headers, client=client()) == PASSES
    assert ask("nobody_tls", HTTP, client=client()) == PASSES


def test_what_a_trusted_proxy_says(ask, client):
    for headers, expected in (
        ([], EXPOSED),
        ([HTTPS], PASSES),
        ([HTTP], EXPOSED),
        ([HTTPS, forwarded("198.51.100.1")], PASSES),
        ([HTTPS, HTTPS], EXPOSED),
        ([HTTPS, HTTP], EXPOSED),
        ([("x-forwarded-proto", "https, http")], EXPOSED),
        ([("x-forwarded-proto", "HTTPS")], EXPOSED),
    ):
        assert ask("recipe_nearby", *headers) == expected, headers
    assert ask("recipe_tls", HTTP, client=client()) == EXPOSED
    assert ask("recipe_tls", HTTPS, client=client()) == PASSES
    assert ask("recipe_tls", client=client()) == PASSES


@pytest.mark.parametrize("manager", MANAGERS)
def test_nobody_becomes_a_trusted_proxy_by_a_header(ask, manager):
    for name in ("x-forwarded-for", "x-no-such-header", "x-real-ip", "forwarded"):
        for value in SPOOFED:
            assert ask(f"{manager}_elsewhere", HTTPS, (name, value)) == EXPOSED, (name, value)


def test_what_other_connection_managers_make_of_it(ask, client):
    """The table of docs/envoy.md."""
    for name, alone, with_address, over_tls in (
        ("recipe", PASSES, PASSES, EXPOSED),
        ("default", PASSES, EXPOSED, EXPOSED),
        ("remote", EXPOSED, EXPOSED, PASSES),
        ("hops", PASSES, EXPOSED, EXPOSED),
    ):
        assert ask(f"{name}_nearby", HTTPS) == alone, name
        assert ask(f"{name}_nearby", HTTPS, forwarded("127.0.0.1")) == with_address, name
        assert ask(f"{name}_tls", HTTP, client=client()) == over_tls, name
    assert ask("recipe_nearby", HTTPS, ("x-no-such-header", "127.0.0.1")) == EXPOSED


def test_a_token_over_plain_http_is_not_looked_at(envoy, ask, world):
    port = envoy.port("nobody")
    for path, headers in (("/a/", bearer("garbage")), ("/b/?token=garbage", []), ("/optional/", bearer("garbage"))):
        answer = send(port, path, headers)
        assert (answer.status, answer.body, answer.challenge) == (403, b"Forbidden", None)
    path = unique_path("/a/")
    send(port, path, bearer(world.token()))
    assert "revoke it" in envoy.denial(path)["detail"]
    # Where nobody looks, there is no token; and without one, all is as ever.
    assert send(port, "/b/", bearer(world.token())).challenge == 'Bearer realm="api"'
    assert send(port, "/a/").challenge == 'Bearer realm="api"'
    assert send(port, "/optional/").status == 200
    assert ask("nobody", prefix="/public/") == PASSES


def test_a_proxy_is_known_by_its_certificate(ask, client, certificates):
    gateway, other = client(certificates.gateway), client(certificates.other)
    for site in ("named_forward", "named_dns"):
        for headers in ([], [forwarded("198.51.100.1")]):
            assert ask(site, HTTPS, *headers, client=gateway) == PASSES
            assert ask(site, HTTP, *headers, client=gateway) == EXPOSED
            # The connection of another is TLS, and its word does not count.
            assert ask(site, HTTP, *headers, client=other) == PASSES
            assert ask(site, HTTP, *headers, client=client()) == PASSES


def bound(world, own):
    """A good token that is bound to the certificate."""
    return world.token(cnf={"x5t#S256": own.thumbprint})


def test_a_certificate_that_a_proxy_forwards(launch, envoy, world, client, certificates):
    """Client, front Envoy, this Envoy: TLS with certificates on both ways."""
    context = {
        "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [
                {
                    "certificate_chain": {"filename": str(certificates.gateway.file)},
                    "private_key": {"filename": str(certificates.gateway.file)},
                }
            ],
            "validation_context": {"trusted_ca": {"filename": str(certificates.server.file)}},
        },
    }
    transport = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    details = {"subject": True, "cert": True, "chain": True, "dns": True, "uri": True}
    plain, full = blocks().set_certificate, {**blocks().set_certificate, "set_current_client_cert_details": details}
    clusters, sites = {}, []
    for name, back, manager in (
        ("front", "named_forward", plain),
        ("full", "named_forward", full),
        ("append", "named_append", plain),
    ):
        behind = cluster(name, envoy.port(back))
        clusters[name] = {**behind, "transport_socket": transport}
        route = {"match": {"prefix": "/"}, "route": {"cluster": name}}
        chain = asking(certificates, certificates.clients)
        sites.append(BareSite(name, None, route=route, chain=chain, manager={"use_remote_address": True, **manager}))
    front = launch(*sites, clusters=clusters)

    def ask(site, one, own, *headers):
        path = unique_path("/a/")
        return verdict(envoy, path, one.send(front.port(site), path, [*bearer(bound(world, own)), *headers]))

    alice, bob, mallory, nobody = map(client, (certificates.alice, certificates.bob, certificates.mallory, None))
    claimed = ("x-forwarded-client-cert", f"Hash={certificates.alice.digest.hex()}")
    for site in ("front", "full"):
        for headers in ([], [claimed]):
            assert ask(site, alice, certificates.alice, *headers) == PASSES
            assert ask(site, bob, certificates.alice, *headers) == ANOTHER
            assert ask(site, nobody, certificates.alice, *headers) == NONE_FORWARDED
            # The token of the proxy itself is not for those behind it.
            assert ask(site, alice, certificates.gateway, *headers) == ANOTHER
            assert ask(site, nobody, certificates.gateway, *headers) == NONE_FORWARDED
    # Envoy does not quote the names in a certificate: this one brings a Hash of its own.
    assert ask("full", mallory, certificates.mallory) == "x-forwarded-client-cert has more than one Hash"
    assert ask("append", alice, certificates.alice) == "x-forwarded-client-cert has more than one element"


def test_forwarded_certificates_count_from_trusted_proxies_only(ask, client, certificates, world):
    claimed = ("x-forwarded-client-cert", f"Hash={certificates.alice.digest.hex()}")
    token = bound(world, certificates.alice)
    gateway, other = client(certificates.gateway), client(certificates.other)
    assert ask("named_forward", HTTPS, claimed, client=gateway, token=token) == PASSES
    assert ask("named_dns", HTTPS, claimed, client=gateway, token=token) == ANOTHER
    assert ask("named_forward", claimed, client=other, token=token) == ANOTHER
    assert ask("named_forward", claimed, client=other, token=bound(world, certificates.other)) == PASSES
    assert ask("named_forward", client=gateway, token=bound(world, certificates.gateway)) == NONE_FORWARDED
    untrusted = "x-forwarded-client-cert came from an untrusted peer"
    assert ask("forwarding_plain", claimed, token=token) == untrusted
    assert ask("forwarding_plain", claimed, forwarded("192.0.2.1"), token=token) == untrusted
    assert ask("forwarding_plain", token=token) == "the client has shown no certificate"
    for value in ("", "Hash=", "Hash", f"{claimed[1]},{claimed[1]}"):
        answer = ask("named_forward", HTTPS, (claimed[0], value), client=gateway, token=token)
        assert answer.startswith(("x-forwarded-client-cert", NONE_FORWARDED)), value
    twice = ask("named_forward", HTTPS, claimed, claimed, client=gateway, token=token)
    assert twice == "x-forwarded-client-cert has more than one element"
