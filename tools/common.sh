# Sourced by the scripts beside it: where things are kept, and how to give up with one clear sentence.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$root/.work
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

fail() {
    echo "$*" >&2
    exit 1
}

require_python() {
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or newer."
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$(python3 --version) is too old: install Python 3.10 or newer."
}

# Runs a command quietly; shows what it printed only if it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        echo "$output" >&2
        return 1
    }
}
