//! The host's functions (proxy-wasm ABI 0.2.1), without the panics of the SDK's own wrappers: every status is handled.
//!
//! This is the only place with `unsafe`: each block hands the host pointers to memory that outlives the call, or takes
//! over a buffer that the host had the SDK's `proxy_on_memory_allocate` make for it.
#![allow(unsafe_code, reason = "the host's functions are foreign functions")]

use std::ptr::{null, null_mut};
use std::time::Duration;

use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType, StreamType};

use crate::time::Timestamp;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;

#[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "env"))]
unsafe extern "C" {
    fn proxy_log(level: LogLevel, message: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: BufferType,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: MapType, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: MapType,
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: MapType, key: *const u8, key_size: usize) -> u32;
    fn proxy_replace_header_map_value(
        map: MapType,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: MapType,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_continue_stream(stream: StreamType) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_set_effective_context(context_id: u32) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32;
    fn proxy_define_metric(kind: MetricType, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
}

/// Takes over a buffer that the host made; empty where it made none.
///
/// # Safety
///
/// `data` is null, or comes from `proxy_on_memory_allocate(size)` and belongs to nobody else.
unsafe fn take_buffer(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() {
        return Vec::new();
    }
    // SAFETY: the SDK allocates a boxed slice of exactly `size` bytes.
    unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) }.into_vec()
}

/// Calls a host function that makes a buffer, and takes the buffer over; `None` unless its status is Ok.
fn buffer_of(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (status, buffer) = status_and_buffer_of(call);
    (status == OK).then_some(buffer)
}

fn status_and_buffer_of(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> (u32, Vec<u8>) {
    let mut data = null_mut();
    let mut size = 0;
    let status = call(&raw mut data, &raw mut size);
    // SAFETY: the host wrote a buffer that it had allocated for this call, or nothing.
    let buffer = unsafe { take_buffer(data, size) };
    (status, buffer)
}

/// Writes a line to the proxy's log.
pub(super) fn log(level: LogLevel, message: &str) {
    // SAFETY: the message outlives the call.
    let _ = unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// The time; `None` if the host does not tell it. The epoch counts as that: every token would outlive it.
pub(super) fn now() -> Option<Timestamp> {
    let now = Timestamp::from_millis(nanoseconds()? / 1_000_000);
    (now > Timestamp::EPOCH).then_some(now)
}

/// The nanoseconds since 1970; `None` if the host does not tell them.
pub(super) fn nanoseconds() -> Option<u64> {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one number.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    (status == OK).then_some(nanoseconds)
}

/// Sets how often the root context is ticked; zero stops it.
pub(super) fn set_tick_period(period: Duration) {
    let millis = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: no pointers.
    let _ = unsafe { proxy_set_tick_period_milliseconds(millis) };
}

/// The first `size` bytes of a buffer of the host.
pub(super) fn buffer(kind: BufferType, size: usize) -> Option<Vec<u8>> {
    // SAFETY: the host writes pointer and size of a buffer that it allocates.
    buffer_of(|data, length| unsafe { proxy_get_buffer_bytes(kind, 0, size, data, length) })
}

/// All headers of a map, in the host's serialized form.
pub(super) fn header_pairs(map: MapType) -> Option<Vec<u8>> {
    // SAFETY: the host writes pointer and size of a buffer that it allocates.
    buffer_of(|data, size| unsafe { proxy_get_header_map_pairs(map, data, size) })
}

/// The first value of a header; `None` or empty if there is none.
pub(super) fn header_value(map: MapType, name: &str) -> Option<Vec<u8>> {
    // SAFETY: the name outlives the call; the host writes pointer and size of a buffer that it allocates.
    buffer_of(|data, size| unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), data, size) })
}

/// The host has a property, and does not hand it over.
pub(super) struct Withheld;

/// A property of the effective context, such as `xds`, `route_name`; `None` if there is none.
pub(super) fn property(path: &[&str]) -> Result<Option<Vec<u8>>, Withheld> {
    let path = path.join("\0");
    // SAFETY: the path outlives the call; the host writes pointer and size of a buffer that it allocates.
    let (status, value) =
        status_and_buffer_of(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) });
    match status {
        OK => Ok(Some(value)),
        NOT_FOUND => Ok(None),
        _ => Err(Withheld),
    }
}

/// Removes every header of this name from a map. Says whether the host did it.
pub(super) fn remove_header(map: MapType, name: &str) -> bool {
    // SAFETY: the name outlives the call.
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) == OK }
}

/// Replaces every request header of this name by one. Says whether the host did it.
pub(super) fn replace_request_header(name: &str, value: &[u8]) -> bool {
    let map = MapType::HttpRequestHeaders;
    // SAFETY: name and value outlive the call.
    unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) == OK }
}

/// Adds a request header. Says whether the host did it.
pub(super) fn add_request_header(name: &str, value: &[u8]) -> bool {
    let map = MapType::HttpRequestHeaders;
    // SAFETY: name and value outlive the call.
    unsafe { proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) == OK }
}

/// Lets the paused request of the effective context go on. Says whether it is still there.
pub(super) fn continue_request() -> bool {
    // SAFETY: no pointers.
    unsafe { proxy_continue_stream(StreamType::HttpRequest) == OK }
}

/// Answers the request of the effective context. `details` become `%RESPONSE_CODE_DETAILS%`.
pub(super) fn send_response(status: u16, details: &str, headers: &[(&str, &str)], body: &str) -> bool {
    let headers = super::pairs::serialize(headers);
    // SAFETY: all texts outlive the call. -1 stands for "no gRPC status".
    unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        ) == OK
    }
}

/// Makes the calls that follow mean this context. Says whether there still is such a context.
pub(super) fn set_effective_context(context_id: u32) -> bool {
    // SAFETY: no pointers.
    unsafe { proxy_set_effective_context(context_id) == OK }
}

/// A shared value and its version; `None` if there never was one.
pub(super) fn shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut cas = 0;
    let version = &raw mut cas;
    // SAFETY: the key outlives the call; the host writes a number, and pointer and size of a buffer that it allocates.
    let value = buffer_of(|data, size| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, version) })?;
    Some((value, cas))
}

/// Sets a shared value. A `cas` of zero overwrites; another has to be the value's version, or, where there is no value
/// yet, may be any. Says whether the value was set.
pub(super) fn set_shared_data(key: &str, value: &[u8], cas: u32) -> bool {
    // An empty value is stored by address too.
    let data = if value.is_empty() { null() } else { value.as_ptr() };
    // SAFETY: key and value outlive the call.
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), data, value.len(), cas) == OK }
}

/// Defines a metric; the same name gives another id each time.
pub(super) fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the name outlives the call; the host writes one number.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Adds to a counter.
pub(super) fn increment_metric(id: u32, number: u64) {
    // SAFETY: no pointers.
    let _ = unsafe { proxy_increment_metric(id, i64::try_from(number).unwrap_or(i64::MAX)) };
}

/// Sets a gauge, or records a value in a histogram.
pub(super) fn record_metric(id: u32, value: u64) {
    // SAFETY: no pointers.
    let _ = unsafe { proxy_record_metric(id, value) };
}

/// Calls a function that only some hosts have; `None` if this one has not, or does not like the arguments.
pub(super) fn call_foreign_function(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: name and arguments outlive the call; the host writes pointer and size of a buffer that it allocates.
    buffer_of(|data, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), arguments.as_ptr(), arguments.len(), data, size)
    })
}

/// Sets a property of the effective context's request. Says whether the host did it.
pub(super) fn set_property(name: &str, value: &str) -> bool {
    // SAFETY: name and value outlive the call.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) == OK }
}

/// Declares that a property of requests will be a text; only a root context can, and only once per name.
pub(super) fn declare_text_property(name: &str) -> bool {
    // `DeclarePropertyArguments`: field 1 is the name, field 3 the type, of which 1 stands for text.
    let Ok(size) = u8::try_from(name.len()) else { return false };
    let arguments = [&[0x0a, size], name.as_bytes(), &[0x18, 1]].concat();
    size < 0x80 && call_foreign_function("declare_property", &arguments).is_some()
}
