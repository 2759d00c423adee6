"""The places where a provider looks for tokens."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """`kind`: header, param or cookie."""

    kind: str
    name: str
    prefix: str = ""


DEFAULT = (Place("header", "authorization", "Bearer "), Place("param", "access_token"))


def of(provider):
    """The places of this provider's configuration."""
    headers = [
        Place("header", header["name"].lower(), header.get("value_prefix", ""))
        for header in provider.get("from_headers", [])
    ]
    params = [Place("param", name) for name in provider.get("from_params", [])]
    cookies = [Place("cookie", name) for name in provider.get("from_cookies", [])]
    return (*headers, *params, *cookies) or DEFAULT


def claim_headers(provider):
    """The headers that this provider writes."""
    claims = [claim["header_name"] for claim in provider.get("claim_to_headers", [])]
    payload = provider.get("forward_payload_header")
    return [*claims, payload] if payload else claims


def providers_in(requirement):
    """The providers that a requirement names, each with its own audiences, or None."""
    if "provider_name" in requirement:
        return [(requirement["provider_name"], None)]
    if "provider_and_audiences" in requirement:
        inner = requirement["provider_and_audiences"]
        return [(inner["provider_name"], inner["audiences"])]
    groups = [requirement[kind]["requirements"] for kind in ("requires_any", "requires_all") if kind in requirement]
    return [found for group in groups for inner in group for found in providers_in(inner)]
