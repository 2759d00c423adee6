"""The module itself: what it imports and exports. A host that lacks an import refuses to load it; a host calls every
callback that it exports."""

from support.bootstrap import WASM
from support.module import Module

MAX_BYTES = 1_000_000

EXPORTS = {
    *("_initialize", "memory", "proxy_abi_version_0_2_1", "proxy_on_memory_allocate"),
    *("proxy_on_vm_start", "proxy_on_configure", "proxy_on_tick", "proxy_on_http_call_response"),
    # Without proxy_on_delete contexts leak. The body's and the trailers' callbacks hold back an undecided request.
    *("proxy_on_context_create", "proxy_on_delete"),
    *("proxy_on_request_headers", "proxy_on_request_body", "proxy_on_request_trailers"),
}

# Every supported host serves the whole ABI 0.2.1 and these functions of WASI.
WASI = {
    *("fd_write", "fd_read", "fd_seek", "fd_close", "fd_fdstat_get", "environ_get", "environ_sizes_get"),
    *("args_get", "args_sizes_get", "clock_time_get", "random_get", "proc_exit"),
}
ABI = {
    *("proxy_log", "proxy_get_log_level", "proxy_get_status", "proxy_get_current_time_nanoseconds"),
    *("proxy_set_tick_period_milliseconds", "proxy_set_effective_context", "proxy_done"),
    *("proxy_get_property", "proxy_set_property", "proxy_get_buffer_bytes", "proxy_get_buffer_status"),
    *("proxy_set_buffer_bytes", "proxy_get_header_map_pairs", "proxy_set_header_map_pairs"),
    *("proxy_get_header_map_size", "proxy_get_header_map_value", "proxy_add_header_map_value"),
    *("proxy_replace_header_map_value", "proxy_remove_header_map_value", "proxy_continue_stream"),
    *("proxy_close_stream", "proxy_send_local_response", "proxy_http_call", "proxy_call_foreign_function"),
    *("proxy_get_shared_data", "proxy_set_shared_data", "proxy_register_shared_queue"),
    *("proxy_resolve_shared_queue", "proxy_dequeue_shared_queue", "proxy_enqueue_shared_queue"),
    *("proxy_define_metric", "proxy_increment_metric", "proxy_record_metric", "proxy_get_metric"),
    *("proxy_grpc_call", "proxy_grpc_stream", "proxy_grpc_send", "proxy_grpc_cancel", "proxy_grpc_close"),
}

DOT_I16X8_S = b"\xfd\xba\x01"  # i32x4.dot_i16x8_s


def test_exports_only_the_callbacks_that_the_filter_uses(capsys):
    exports = set(Module(WASM.read_bytes()).exports())
    show(capsys, "exports", exports)
    assert exports == EXPORTS


def test_imports_only_what_every_host_serves(capsys):
    imports = Module(WASM.read_bytes()).imports()
    show(capsys, "imports", {name for _, name in imports})
    allowed = {("env", name) for name in ABI} | {("wasi_snapshot_preview1", name) for name in WASI}
    assert set(imports) - allowed == set()


def test_multiplies_by_vectors():
    """Without them, as where RUSTFLAGS replaced those of the build, RSA would be verified ten times as slowly."""
    assert WASM.read_bytes().count(DOT_I16X8_S) > 10


def test_is_small():
    assert WASM.stat().st_size <= MAX_BYTES


def show(capsys, title, names):
    with capsys.disabled():
        print(f"\n{WASM.name} {title}: {' '.join(sorted(names))}")
