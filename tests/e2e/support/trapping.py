"""A proxy-wasm module that is fine until the first request, and then traps: what a failure of the filter looks like."""

_I32 = 0x7F
_END = 0x0B
# Parameters and results of the functions that the host calls, and what they do.
_FUNCTIONS = {
    "proxy_abi_version_0_2_1": (0, 0, []),
    "proxy_on_memory_allocate": (1, 1, [0x41, 0x80, 0x08]),  # i32.const 1024
    "proxy_on_context_create": (2, 0, []),
    "proxy_on_vm_start": (2, 1, [0x41, 0x01]),
    "proxy_on_configure": (2, 1, [0x41, 0x01]),
    "proxy_on_request_headers": (3, 1, [0x00]),  # unreachable
}


def module():
    """Its bytes (WebAssembly Core Specification, section 5)."""
    types = [[0x60, *_vector([[_I32]] * takes), *_vector([[_I32]] * gives)] for takes, gives, _ in _FUNCTIONS.values()]
    bodies = [[0x00, *code, _END] for _, _, code in _FUNCTIONS.values()]
    exports = [[*_name(name), 0x00, index] for index, name in enumerate(_FUNCTIONS)]
    return b"\0asm\1\0\0\0" + b"".join(
        (
            _section(1, types),
            _section(3, [[index] for index in range(len(_FUNCTIONS))]),
            _section(5, [[0x00, 0x01]]),  # one page of memory
            _section(7, [[*_name("memory"), 0x02, 0x00], *exports]),
            _section(10, [[*_size(len(body)), *body] for body in bodies]),
        )
    )


def _section(number, entries):
    content = _vector(entries)
    return bytes([number, *_size(len(content)), *content])


def _vector(entries):
    return [*_size(len(entries)), *(byte for entry in entries for byte in entry)]


def _name(text):
    return [*_size(len(text)), *text.encode()]


def _size(number):
    """LEB128."""
    return [number] if number < 0x80 else [number & 0x7F | 0x80, *_size(number >> 7)]
