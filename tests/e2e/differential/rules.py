"""Which requirement a request falls under: just enough of the rules to judge the cause of a difference."""

import re
from dataclasses import replace
from urllib.parse import unquote


def requirement(configuration, request):
    """What a request has to bring; empty for nothing."""
    if configuration.get("bypass_cors_preflight") and _is_preflight(request):
        return {}
    return _matched(configuration, request) or {}


def _matched(configuration, request):
    """The requirement of the first rule that matches, which may be empty; None if none does."""
    for rule in configuration["rules"]:
        if _matches(rule["match"], request):
            named = configuration.get("requirement_map", {}).get(rule.get("requirement_name"), {})
            return rule.get("requires", named)
    return None


def meanings(configuration, request):
    """What is matched for each path that an upstream may take the request's for; that itself is the first."""
    return [_matched(configuration, replace(request, path=path)) for path in readings(request.path)]


def readings(path):
    """The path, and what becomes of it where slashes are merged, parameters dropped and escapes decoded."""
    found = [path]
    for text in found:
        for other in (re.sub("/+", "/", text), text.replace("\\", "/"), re.sub(";[^/]*", "", text), unquote(text)):
            if other not in found:
                found.append(other)
    return found


def is_exemption(requirement):
    """Whether it allows that tokens are missing."""
    return bool({"allow_missing", "allow_missing_or_failed"} & requirement.keys())


def audiences(token):
    """Whom the token is meant for."""
    audience = token.claims.get("aud", [])
    return set(audience if isinstance(audience, list) else [audience])


def _is_preflight(request):
    names = {name for name, _ in request.headers}
    return request.method == "OPTIONS" and {"origin", "access-control-request-method"} <= names


def _matches(match, request):
    if "connect_matcher" in match or request.method == "CONNECT":
        return "connect_matcher" in match and request.method == "CONNECT"
    return _path(match, request.path) and _headers(match, request) and _query(match, request)


def _path(match, path):
    if "safe_regex" in match:
        return re.fullmatch(match["safe_regex"]["regex"], path) is not None
    kind, text = next((kind, text) for kind, text in match.items() if isinstance(text, str))
    if not match.get("case_sensitive", True):
        path, text = path.lower(), text.lower()
    if kind == "path":
        return path == text
    ends_there = kind == "prefix" or path[len(text) : len(text) + 1] in ("", "/")
    return path.startswith(text) and ends_there


def _headers(match, request):
    def one(wanted):
        values = [value for name, value in request.headers if name == wanted["name"].lower()]
        if not values and "present_match" not in wanted:
            return False  # inverted or not
        return _value(wanted, ",".join(values) if values else None) != wanted.get("invert_match", False)

    return all(one(wanted) for wanted in match.get("headers", []))


def _query(match, request):
    """The first parameter of a name counts, as it came."""
    pairs = [text.partition("=") for text in request.query]
    found = {name: value for name, _, value in reversed(pairs)}
    return all(_value(wanted, found.get(wanted["name"])) for wanted in match.get("query_parameters", []))


def _value(wanted, value):
    if "present_match" in wanted:
        return (value is not None) == wanted["present_match"]
    if value is None:
        return False
    if "range_match" in wanted:
        bounds = wanted["range_match"]
        return re.fullmatch(r"-?\d+", value) is not None and bounds["start"] <= int(value) < bounds["end"]
    return is_match(wanted["string_match"], value)


def is_match(wanted, value):
    """Whether a text fulfils a string match."""
    if "safe_regex" in wanted:
        return re.fullmatch(wanted["safe_regex"]["regex"], value) is not None
    kind, text = next((kind, text) for kind, text in wanted.items() if kind != "ignore_case")
    if wanted.get("ignore_case"):
        value, text = value.lower(), text.lower()
    checks = {
        "exact": value.__eq__,
        "prefix": value.startswith,
        "suffix": value.endswith,
        "contains": value.__contains__,
    }
    return checks[kind](text)
