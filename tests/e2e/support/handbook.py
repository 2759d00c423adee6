"""What docs/envoy.md and docs/operations.md give operators to copy."""

import json
import re
from types import SimpleNamespace

import yaml

from .envoy import ROOT

NAMES = {
    "envoy": "verdict_log principal condition cors cors_policy same_route off on certificates untrusted dpop "
    "revocation session peer set_certificate forward_certificate",
    "operations": "json_log text_log telemetry collector refusals startup environment "
    "metrics admin matcher labels agent",
}
COMMANDS = {"operations": "gauges providers wait debug listeners plugins sbom"}


def webdis():
    """Webdis' configuration in docs/envoy.md, fresh."""
    [text] = re.findall(r"^```json\n(\{\n  \"redis_host\".*?)^```", _text("envoy"), re.MULTILINE | re.DOTALL)
    return json.loads(text)


def blocks(document="envoy"):
    """The YAML of the document, in its order, fresh."""
    return _named(document, "yaml", NAMES, yaml.safe_load)


def commands(document="operations"):
    """The shell commands of the document, in their order."""
    return _named(document, "sh", COMMANDS, str)


def _named(document, language, names, read):
    texts = re.findall(rf"^```{language}\n(.*?)^```", _text(document), re.MULTILINE | re.DOTALL)
    return SimpleNamespace(**dict(zip(names[document].split(), map(read, texts), strict=True)))


def _text(document):
    return (ROOT / f"docs/{document}.md").read_text()
