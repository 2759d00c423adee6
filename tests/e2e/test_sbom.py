"""The bill of materials in the module: it says what cargo has compiled into it, no more and no less."""

import hashlib
import json
import re
import subprocess

import pytest

from support.bootstrap import WASM
from support.envoy import ROOT
from support.handbook import commands
from support.module import Module

MAX_BYTES = 8_000


@pytest.fixture(scope="module")
def embedded():
    [content] = [content for name, content in Module(WASM.read_bytes()).custom_sections() if name == "sbom"]
    return content


def printed():
    return subprocess.run([ROOT / "tools/sbom", "print", WASM], check=True, capture_output=True, text=True).stdout


def crates(document):
    """Names and versions, but for the standard library."""
    return {(one["name"], one["version"]) for one in document["components"] if one["name"] != "rust-std"}


def test_the_module_says_what_cargo_compiled_into_it(embedded):
    make = ["make", "--silent", "--directory", ROOT, "compiled"]
    messages = subprocess.run(make, check=True, capture_output=True, text=True).stdout
    compiled = set()
    for message in map(json.loads, messages.splitlines()):
        # Build scripts and macros are compiled for the builder.
        if message["reason"] == "compiler-artifact" and "/wasm32-wasip1/" in message["filenames"][0]:
            compiled.add(name_and_version(message["package_id"]))
    assert len(compiled) > 20
    top = json.loads(embedded)["metadata"]["component"]
    assert crates(json.loads(embedded)) == compiled - {(top["name"], top["version"])}


def name_and_version(package_id):
    """`registry+URL#anyhow@1.0.104`, `path+file:///checkout#jwt-warden@0.1.0`, or `path+file:///jwt-warden#0.1.0`."""
    place, fragment = package_id.split("#")
    return tuple(fragment.split("@")) if "@" in fragment else (place.rsplit("/")[-1], fragment)


def test_operators_can_read_it(embedded):
    shown = subprocess.run(["bash", "-c", commands().sbom], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert json.loads(shown) == json.loads(embedded)


def test_it_is_short_and_the_same_whenever_it_is_made(embedded):
    assert len(embedded) < MAX_BYTES
    assert json.loads(embedded)["bomFormat"] == "CycloneDX"
    assert not re.search(rb"timestamp|serialNumber|/root|/home", embedded)
    assert printed() == printed()


def test_it_names_the_compiler_and_the_version(embedded):
    document = json.loads(embedded)
    [library] = [one for one in document["components"] if one["name"] == "rust-std"]
    compiler = subprocess.run(["rustc", "-vV"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert f"release: {library['version']}\n" in compiler
    assert library["description"].removeprefix("rustc ") in compiler
    assert f'version = "{document["metadata"]["component"]["version"]}"' in (ROOT / "Cargo.toml").read_text()


def test_the_long_form_has_licences_checksums_and_edges(embedded):
    document = json.loads(printed())
    assert crates(document) == crates(json.loads(embedded))
    [digest] = document["metadata"]["component"]["hashes"]
    assert digest == {"alg": "SHA-256", "content": hashlib.sha256(WASM.read_bytes()).hexdigest()}
    lock = (ROOT / "Cargo.lock").read_text()
    for one in document["components"]:
        assert one["name"] == "rust-std" or (one["licenses"] and one["hashes"][0]["content"] in lock)
    edges = {edge["ref"]: edge["dependsOn"] for edge in document["dependencies"]}
    assert "pkg:cargo/zmij" in " ".join(edges[next(ref for ref in edges if ref.startswith("pkg:cargo/serde_json@"))])
    assert {name for names in edges.values() for name in names} <= set(edges)
