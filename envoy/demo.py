"""The demo: an issuer, a service, and Envoy with jwt-warden between them; which requests pass, and why others do not.

Stays up until Ctrl-C; with --once it ends after the show. LISTEN_PORT, ADMIN_PORT, ISSUER_PORT, SERVICE_PORT move the
ports, ENVOY names the Envoy to start, JWT_WARDEN the program whose `issuer` is the issuer.
"""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from lab import processes  # noqa: E402
from lab.http import Upstream  # noqa: E402

FOLDER = ROOT / ".work/demo"
PORTS = {"LISTEN_PORT": 10000, "ADMIN_PORT": 9901, "ISSUER_PORT": 10001, "SERVICE_PORT": 10002}
ISSUER, AUDIENCE = "https://issuer.example/", "api"


def main():
    """Starts everything, shows it, and leaves nothing behind."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    if "MAKELEVEL" in os.environ:
        processes.end_with_parent()
    ports = choose_ports()
    issuer = start_issuer(ports)
    Upstream(ports["SERVICE_PORT"])
    envoy = start_envoy(ports)
    try:
        wait_until_ready(envoy, issuer, ports)
        show(ports)
        if "--once" not in sys.argv:
            stay(envoy, issuer, ports)
    except KeyboardInterrupt:
        print("\nstopped")
    finally:
        processes.stop(envoy)
        processes.stop(issuer)


def choose_ports():
    """The ports, none of them taken."""
    ports = {name: int(os.environ.get(name) or default) for name, default in PORTS.items()}
    for name, port in ports.items():
        if processes.is_taken(port):
            sys.exit(f"port {port} is taken: stop what uses it or set {name}=")
    return ports


def start_issuer(ports):
    """`jwt-warden issuer`; its log goes to a file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    binary = os.environ.get("JWT_WARDEN") or subprocess.check_output([ROOT / "tools/program"], text=True).strip()
    command = [binary, "issuer", "--listen", f"127.0.0.1:{ports['ISSUER_PORT']}"]
    command += ["--issuer", ISSUER, "--audience", AUDIENCE, "--algorithm", "RS256", "--expires-in", "1h"]
    with open(FOLDER / "issuer.log", "w") as log:
        return processes.spawn(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def start_envoy(ports):
    """Envoy with envoy/envoy.yaml; its log goes to a file."""
    moved = {str(PORTS[name]): str(port) for name, port in ports.items()}
    configuration = (ROOT / "envoy/envoy.yaml").read_text()
    configuration = re.sub(r"\b(10000|9901|10001|10002)\b", lambda match: moved[match[1]], configuration)
    (FOLDER / "envoy.yaml").write_text(configuration)
    binary = os.environ.get("ENVOY") or subprocess.check_output([ROOT / "tools/envoy"], text=True).strip()
    command = [binary, "-c", FOLDER / "envoy.yaml", "--concurrency", "2", "--disable-hot-restart"]
    with open(FOLDER / "envoy.log", "w") as log:
        return processes.spawn(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def wait_until_ready(envoy, issuer, ports):
    """Returns once both serve; ends the demo with their own words if they do not come up."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        check_alive(envoy, issuer)
        try:
            paths = {"ADMIN_PORT": "/ready", "ISSUER_PORT": "/jwks.json"}
            if all(request(ports[name], path)[0] == 200 for name, path in paths.items()):
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"Envoy was not ready within a minute: see {FOLDER / 'envoy.log'}")


def check_alive(envoy, issuer):
    """Ends the demo if Envoy or the issuer has ended."""
    if issuer.poll() is not None:
        sys.exit(f"The issuer ended with exit code {issuer.returncode}:\n{(FOLDER / 'issuer.log').read_text()}")
    if envoy.poll() is not None:
        lines = (FOLDER / "envoy.log").read_text().splitlines()
        telling = [line for line in lines if re.search(r"jwt-warden|\[(error|critical)\]|not found|No such file", line)]
        sys.exit("\n".join([f"Envoy ended with exit code {envoy.returncode}:", *(telling or lines)[-10:]]))


def show(ports):
    """Every kind of request once: what the client sees beside what the proxy's log says."""
    port = ports["LISTEN_PORT"]
    accepted = {"no token needed": ("/public", None), "good token": ("/orders", token(ports))}
    refused = {
        "no token": None,
        "expired": token(ports, bad="expired"),
        "wrong audience": token(ports, bad="wrong-audience"),
        "alg none": token(ports, bad="alg-none"),
        "tampered claims": token(ports, bad="tampered"),
        "unknown key": token(ports, bad="unknown-kid"),
    }
    for title, (path, shown) in accepted.items():
        show_accepted(title, port, path, shown)
    for number, (title, shown) in enumerate(refused.items()):
        show_refused(title, port, f"/orders/{number}", shown)


def show_accepted(title, port, path, token):
    """A request that goes upstream."""
    status, _, body = request(port, path, [("x-user", "mallory"), *bearer(token)])
    print(f"\n{title}: GET {path} (the client adds x-user: mallory)")
    if status != 200:
        sys.exit(f"  client sees   {status} {body}\nThat should have been accepted: see {FOLDER / 'envoy.log'}")
    headers = json.loads(body)["headers"]
    seen = ", ".join(f"{name}: {value}" for name, value in headers if name in ("x-user", "authorization"))
    print(f"  client sees   {status}")
    print(f"  service sees  {seen or 'neither x-user nor authorization'}")


def show_refused(title, port, path, token):
    """A request that is refused, and why."""
    status, challenge, body = request(port, path, bearer(token))
    print(f"\n{title}: GET {path}")
    print(f"  client sees   {status} {body}   WWW-Authenticate: {challenge}")
    print(f"  proxy's log   {log_line(path)}")


def stay(envoy, issuer, ports):
    """Says what to try, and waits for Ctrl-C."""
    url = f"http://127.0.0.1:{ports['LISTEN_PORT']}"
    print(f"\nTry it (the token is good for an hour):\n\n  TOKEN={token(ports)}\n")
    print(f'  curl -i {url}/orders -H "Authorization: Bearer $TOKEN"')
    print(f'  curl -i {url}/orders -H "Authorization: Bearer ${{TOKEN}}x"')
    print(f"  curl -i {url}/orders\n  curl -i {url}/public")
    print(f"  curl -s http://127.0.0.1:{ports['ADMIN_PORT']}/stats?filter=jwt_warden")
    print(f"\nEnvoy logs to {FOLDER.relative_to(ROOT) / 'envoy.log'}. Ctrl-C stops everything.", flush=True)
    while True:
        check_alive(envoy, issuer)
        time.sleep(0.5)


def token(ports, **form):
    """A token of the issuer's."""
    connection = http.client.HTTPConnection("127.0.0.1", ports["ISSUER_PORT"], timeout=10)
    try:
        form_type = {"content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/token", urllib.parse.urlencode(form), form_type)
        return json.loads(connection.getresponse().read())["access_token"]
    finally:
        connection.close()


def bearer(token):
    """The header with the token, if there is one."""
    return [("authorization", f"Bearer {token}")] if token else []


def request(port, path, headers=()):
    """Status, challenge and body of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.getheader("www-authenticate"), answer.read().decode()
    finally:
        connection.close()


def log_line(path):
    """What the filter has logged about the request with this path."""
    for _ in range(100):
        for line in (FOLDER / "envoy.log").read_text().splitlines():
            if "jwt-warden: denied" in line and f'path="{path}"' in line:
                return line[line.index("jwt-warden:") :]
        time.sleep(0.02)
    return "(no line)"


main()
