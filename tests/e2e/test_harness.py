"""The watchdog over the logs would notice."""

from support.secrets import leaked_in, remember_tokens


def test_a_token_in_a_log_is_found(world):
    token = world.token()
    remember_tokens(f"GET /?x={token}&b HTTP/1.1\r\n".encode())
    _, payload, signature = token.split(".")
    for text in (token, payload, signature):
        assert leaked_in(f"some line with {text} in it")
    assert not leaked_in("some line with nothing in it")


def test_a_shared_secret_in_a_log_is_found(world):
    assert leaked_in(world.key("hs", "hs256").jwk()["k"])
