"""What docs/envoy.md gives operators to copy."""

import json
import re
from types import SimpleNamespace

import yaml

from .envoy import ROOT

NAMES = (
    "verdict_log log principal condition cors cors_policy same_route off on certificates untrusted dpop revocation "
    "session peer set_certificate forward_certificate"
)


def webdis():
    """Webdis' configuration in docs/envoy.md, fresh."""
    [text] = re.findall(r"^```json\n(\{\n  \"redis_host\".*?)^```", _text(), re.MULTILINE | re.DOTALL)
    return json.loads(text)


def blocks():
    """The YAML of docs/envoy.md, in its order, fresh."""
    texts = re.findall(r"^```yaml\n(.*?)^```", _text(), re.MULTILINE | re.DOTALL)
    return SimpleNamespace(**dict(zip(NAMES.split(), map(yaml.safe_load, texts), strict=True)))


def _text():
    return (ROOT / "docs/envoy.md").read_text()
