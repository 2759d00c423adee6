"""What `make release` refuses, and what it makes, in a checkout of its own."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

from support.bootstrap import WASM
from support.envoy import ROOT

VERSION = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
CHANGELOG = f"""# Changelog

## [Unreleased]

## [{VERSION}] - 2026-01-02

- Something new.

## [0.0.9] - 2025-01-02

- Old.
"""
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}


@pytest.fixture
def checkout(tmp_path):
    """This one's files as they are, in a repository whose changelog is ready for a release."""
    if not (ROOT / ".git").exists():
        pytest.skip("this folder is no git repository")
    files = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.split("\n")
    for file in filter(None, files):
        if (ROOT / file).exists():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    run(tmp_path, "git", "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def commit(folder):
    run(folder, "git", "add", "--all")
    run(folder, "git", *AUTHOR, "commit", "--quiet", "-m", "all", "--allow-empty")


def run(folder, *command, check=True):
    return subprocess.run(command, cwd=folder, check=check, capture_output=True, text=True, env=ENVIRONMENT)


def replace(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def refusal(checkout):
    """What the check says; empty if it has nothing to say."""
    result = run(checkout, "tools/release", "check", check=False)
    assert bool(result.returncode) == bool(result.stderr)
    return result.stderr


def test_a_release_is_refused_until_all_agrees(checkout):
    assert refusal(checkout) == ""

    for file, old, new, expected in [
        ("Cargo.toml", f'\nversion = "{VERSION}"', '\nversion = "7.8.9"', "no section [7.8.9]"),
        ("Cargo.toml", f'\nversion = "{VERSION}"', '\nversion = "7.8.9"', f"names jwt-warden:{VERSION}"),
        ("envoy/istio/gateway.yaml", f"jwt-warden:{VERSION}", f"jwt-warden:{VERSION}-rc1", f":{VERSION}-rc1"),
        ("README.md", f"jwt-warden:{VERSION}", "jwt-warden:0.0.9", "README.md names jwt-warden:0.0.9"),
        ("CHANGELOG.md", f"[{VERSION}] - 2026-01-02", f"[{VERSION}]", f"no section [{VERSION}]"),
        ("CHANGELOG.md", "- Something new.\n", "", "or an empty one"),
        ("CHANGELOG.md", "[Unreleased]\n", "[Unreleased]\n\n- Not yet.\n", "unreleased changes"),
    ]:
        before = (checkout / file).read_text()
        replace(checkout / file, old, new)
        commit(checkout)
        assert expected in refusal(checkout), (file, new)
        (checkout / file).write_text(before)
        commit(checkout)
    assert refusal(checkout) == ""


def test_a_member_of_the_workspace_with_another_version_is_refused(checkout):
    replace(checkout / "cli/Cargo.toml", f'\nversion = "{VERSION}"', '\nversion = "7.8.9"')
    commit(checkout)
    assert "has the version 7.8.9" in refusal(checkout)


def test_what_is_not_committed_is_refused(checkout):
    (checkout / "src/new.rs").write_text("//! New.\n")
    assert "not committed: src/new.rs" in refusal(checkout)


def test_a_version_is_released_once(checkout):
    run(checkout, "git", "tag", f"v{VERSION}")
    assert refusal(checkout) == ""
    commit(checkout)
    assert f"v{VERSION} is the tag of another commit" in refusal(checkout)


def test_a_release_has_everything_and_is_the_same_each_time(checkout):
    (checkout / "dist").mkdir()
    shutil.copy(WASM, checkout / "dist/jwt_warden.wasm")
    run(checkout, "tools/image", "dist/jwt_warden.wasm", "dist/image")
    for file in ("jwt-warden", "completions/_jwt-warden", "man/jwt-warden.1"):
        (checkout / "dist" / file).parent.mkdir(exist_ok=True)
        (checkout / "dist" / file).write_text(f"stands for {file}")
    printed = run(checkout, "tools/release", "assemble").stdout
    folder = checkout / "dist/release"
    assert (folder / "SHA256SUMS").read_text() == printed
    run(folder, "sha256sum", "--check", "--strict", "SHA256SUMS")
    listed = {line.split("  ")[1] for line in printed.splitlines()}
    assert listed == {file.name for file in folder.iterdir()} - {"SHA256SUMS"}
    module = f"jwt_warden-{VERSION}.wasm"
    assert listed >= {module, f"{module}.cdx.json", f"jwt-warden-{VERSION}.oci.tar", "NOTES.md"}
    assert any(name.endswith(".tar.gz") for name in listed)
    assert (folder / module).read_bytes() == WASM.read_bytes()

    digest = hashlib.sha256(WASM.read_bytes()).hexdigest()
    [described] = json.loads((folder / f"{module}.cdx.json").read_text())["metadata"]["component"]["hashes"]
    assert described["content"] == digest
    notes = (folder / "NOTES.md").read_text()
    assert "- Something new." in notes and "Old" not in notes
    assert f'sha256: "{digest}"' in notes
    assert run(checkout, "tools/release", "assemble").stdout == printed
