"""Tokens that are bound to a client certificate (RFC 8705): over TLS, with certificates made here."""

import ssl
from types import SimpleNamespace

import pytest

from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.handbook import blocks
from support.remote import remote_site
from support.tls import certificate
from support.tls_client import TlsClient
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

PASSES = "passes"
NONE = "the client has shown no certificate"
ANOTHER = "the client has shown another certificate"
UNBOUND = "the token is not bound to its sender"
NO_CONNECTION = (ssl.SSLError, ConnectionError)
FORWARDING = {
    "sanitize": {},
    "forward": {"forward_client_cert_details": "ALWAYS_FORWARD_ONLY"},
    "set": {"forward_client_cert_details": "APPEND_FORWARD", "set_current_client_cert_details": {"cert": True}},
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """The server's, an authority's, two that it has signed, and some that nobody has."""
    folder = tmp_path_factory.mktemp("certificates")
    clients = certificate("clients", folder / "clients.pem")
    alice = certificate("alice", folder / "alice.pem", clients)
    return SimpleNamespace(
        server=certificate("api.example", folder / "server.pem"),
        clients=clients,
        alice=alice,
        renewed=certificate("alice", folder / "renewed.pem", clients, alice.key),
        bob=certificate("bob", folder / "bob.pem", clients),
        self_signed=certificate("carol", folder / "carol.pem"),
        other_self_signed=certificate("carol", folder / "other_carol.pem"),
        expired=certificate("dave", folder / "dave.pem", clients, days=-1),
    )


@pytest.fixture(scope="module")
def asking(certificates):
    """The filter chain of docs/envoy.md, which asks for certificates: `asking(**changes to its TLS context)`."""

    def asking(**changes):
        chain = blocks().certificates
        context = chain["transport_socket"]["typed_config"]["common_tls_context"]
        [own] = context["tls_certificates"]
        own["certificate_chain"] = own["private_key"] = {"filename": str(certificates.server.file)}
        context["validation_context"]["trusted_ca"]["filename"] = str(certificates.clients.file)
        context.update(changes)
        return chain

    return asking


@pytest.fixture(scope="module")
def envoy(launch, world, asking):
    """Two workers. /a/, /required/ and /ignored/ take bound tokens as they are named."""
    providers = {
        "a": world.provider("a"),
        "required": world.provider("a", sender_constraint="required"),
        "ignored": world.provider("a", sender_constraint="ignore"),
    }
    configuration = {"providers": providers, "rules": [rule(f"/{name}/", name) for name in providers]}
    chains = {"plain": {}, "tls": asking(), "untrusted": asking(**blocks().untrusted), "silent": asking()}
    del chains["silent"]["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]
    chains["demanding"] = asking()
    chains["demanding"]["transport_socket"]["typed_config"]["require_client_certificate"] = True
    sites = [Site(name, configuration, chain=chain) for name, chain in chains.items()]
    sites.append(Site("counted", configuration, chain=asking(), listener={"stat_prefix": "counted"}))
    for name, changes in FORWARDING.items():
        sites.append(Site(f"plain_{name}", configuration, manager=changes))
        sites.append(Site(f"tls_{name}", configuration, manager=changes, chain=asking()))
    return launch(*sites, concurrency=2)


@pytest.fixture(scope="module")
def ask(envoy):
    """Sends a token and says whether it passes, or why it is refused: `client` is None for one without TLS."""

    def ask(client, token, prefix="/a/", site="tls", headers=(), session=None):
        path, headers = unique_path(prefix), [*bearer(token), *headers]
        over_tls = {"session": session} if client else {}
        answer = (client.send if client else send)(envoy.port(site), path, headers, **over_tls)
        return verdict(envoy, path, answer)

    return ask


def verdict(envoy, path, answer):
    """The answer to a bound token, in a word."""
    if answer.status == 200:
        return PASSES
    assert (answer.status, answer.challenge) == (401, 'Bearer realm="api", error="invalid_token"')
    denial = envoy.denial(path)
    assert denial["reason"] == "sender_constraint"
    return denial["detail"]


@pytest.fixture(scope="module")
def client(certificates):
    """A client of the tests' server: `client(certificate=None, version=...)`."""
    return lambda *arguments: TlsClient(certificates.server, *arguments)


def bound(world, certificate, **changes):
    """A good token that is bound to the certificate."""
    return world.token(cnf={"x5t#S256": certificate.thumbprint}, **changes)


def test_a_bound_token_passes_with_its_certificate_only(ask, client, certificates, world):
    token = bound(world, certificates.alice)
    assert ask(client(certificates.alice), token) == PASSES
    assert ask(client(certificates.bob), token) == ANOTHER
    assert ask(client(certificates.renewed), token) == ANOTHER
    assert ask(client(), token) == NONE
    assert ask(None, token, site="plain") == NONE
    assert ask(client(certificates.alice), token, site="silent") == NONE
    # The authority's certificate was sent along, but nobody has shown that they have its key.
    assert ask(client(certificates.alice), bound(world, certificates.clients)) == ANOTHER


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["alice", "self_signed"])
def test_a_resumed_session_counts_with_its_certificate(ask, client, certificates, world, version, name):
    own = getattr(certificates, name)
    site = "tls" if name == "alice" else "untrusted"
    with_certificate, without = client(own, version), client(None, version)
    for one, expected in ((with_certificate, PASSES), (without, NONE)):
        assert ask(one, bound(world, own), site=site) == expected
        assert ask(one, bound(world, own), site=site, session=one.session) == expected
        assert one.was_resumed
    assert ask(with_certificate, bound(world, certificates.bob), site=site, session=with_certificate.session) == ANOTHER
    assert with_certificate.was_resumed


def test_whether_tokens_have_to_be_bound(ask, client, certificates, world):
    alice = client(certificates.alice)
    for token, prefix, expected in (
        (world.token(), "/a/", PASSES),
        (world.token(), "/required/", UNBOUND),
        (world.token(), "/ignored/", PASSES),
        (bound(world, certificates.alice), "/required/", PASSES),
        (bound(world, certificates.bob), "/required/", ANOTHER),
        (bound(world, certificates.bob), "/ignored/", PASSES),
    ):
        assert ask(alice, token, prefix) == expected, (prefix, expected)
    assert ask(client(), world.token()) == PASSES
    assert ask(alice, world.token(), site="demanding") == PASSES
    with pytest.raises(NO_CONNECTION):
        ask(client(), world.token(), site="demanding")
    assert ask(client(), bound(world, certificates.alice), "/required/") == NONE
    assert ask(None, bound(world, certificates.alice), "/ignored/", "plain") == PASSES


def test_a_remembered_token_is_refused_without_its_certificate(ask, client, certificates, world, envoy):
    token, alice = bound(world, certificates.alice), client(certificates.alice)
    for one, expected in ((alice, PASSES), (client(), NONE), (client(certificates.bob), ANOTHER), (alice, PASSES)):
        before = connections(envoy)

        def both_workers_say_so(one=one, expected=expected, before=before):
            assert ask(one, token, site="counted") == expected
            return all(now > earlier for now, earlier in zip(connections(envoy), before, strict=True))

        until(both_workers_say_so)


def connections(envoy):
    """How many each of the two workers has accepted at the site `counted`."""
    names = [f"listener.counted.worker_{number}.downstream_cx_total" for number in range(2)]
    return [envoy.stats(name)[name] for name in names]


def test_a_request_that_waited_is_judged_by_its_own_certificate(launch, world, issuer, asking, client, certificates):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    site = remote_site(world, issuer, timeout="60s")
    site.chain = asking()
    envoy = launch(site, clusters={"issuer": issuer.port})
    alice, bob, nobody = client(certificates.alice), client(certificates.bob), client()
    cases = [(alice, "alice", PASSES), (bob, "alice", ANOTHER), (nobody, "alice", NONE)]
    cases += [(alice, "bob", ANOTHER), (bob, "bob", PASSES), (nobody, "bob", NONE)]
    waiting = []
    for one, name, expected in (*cases, *reversed(cases)):
        path, token = unique_path("/"), bound(world, getattr(certificates, name))
        waiting.append((one.begin(envoy.port("remote"), path, bearer(token)), path, expected))
    entered = "wasmcustom.jwt_warden.waiting.entered"
    until(lambda: envoy.stats(entered).get(entered) == len(waiting))
    issuer.release()
    for exchange, path, expected in waiting:
        assert verdict(envoy, path, exchange.response()) == expected


def test_self_signed_certificates(ask, envoy, client, certificates, world):
    """RFC 8705 section 2.2: the token says which certificate counts, and no authority is asked."""
    for own, others in (
        (certificates.self_signed, [certificates.other_self_signed, certificates.alice, certificates.expired]),
        (certificates.expired, [certificates.self_signed]),
    ):
        assert ask(client(own), bound(world, own), site="untrusted") == PASSES
        for other in others:
            assert ask(client(other), bound(world, own), site="untrusted") == ANOTHER
        assert ask(client(), bound(world, own), site="untrusted") == NONE
        # Where authorities are asked, there is no connection.
        with pytest.raises(NO_CONNECTION):
            client(own).send(envoy.port("tls"), "/a/", bearer(bound(world, own)))


@pytest.mark.parametrize("forwarding", FORWARDING)
def test_headers_say_nothing_about_certificates(ask, client, certificates, world, forwarding):
    alice, bob = certificates.alice, certificates.bob
    headers = [
        ("x-forwarded-client-cert", f'Hash={alice.digest.hex()};Subject="CN=alice"'),
        ("client-cert", f":{alice.thumbprint}:"),
    ]
    token = bound(world, alice)
    assert ask(None, token, site=f"plain_{forwarding}", headers=headers) == NONE
    site = f"tls_{forwarding}"
    assert ask(client(), token, site=site, headers=headers) == NONE
    assert ask(client(bob), token, site=site, headers=headers) == ANOTHER
    assert ask(client(bob), bound(world, bob), site=site, headers=headers) == PASSES
