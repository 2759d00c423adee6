//! The functions that the filter imports.

use std::time::Duration;

use super::{Callout, Headers, LocalResponse, State, with};

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const SERIALIZATION_FAILURE: u32 = 3;
const CAS_MISMATCH: u32 = 8;

unsafe extern "C" {
    fn proxy_on_memory_allocate(size: usize) -> *mut u8;
}

unsafe fn bytes(data: *const u8, size: usize) -> Vec<u8> {
    if size == 0 { Vec::new() } else { unsafe { std::slice::from_raw_parts(data, size) }.to_vec() }
}

unsafe fn text(data: *const u8, size: usize) -> String {
    String::from_utf8(unsafe { bytes(data, size) }).expect("the filter's own texts are UTF-8")
}

/// Hands a buffer over, as Envoy does: allocated by the module.
unsafe fn hand_over(value: &[u8], data: *mut *mut u8, size: *mut usize) {
    unsafe {
        let buffer = proxy_on_memory_allocate(value.len());
        std::ptr::copy_nonoverlapping(value.as_ptr(), buffer, value.len());
        *data = buffer;
        *size = value.len();
    }
}

/// A map in the host's form.
pub fn serialize(headers: &Headers) -> Vec<u8> {
    let number = |size: usize| u32::try_from(size).expect("a short text").to_le_bytes();
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(value);
        bytes.push(0);
    }
    bytes
}

fn deserialize(bytes: &[u8]) -> Headers {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let count = if bytes.is_empty() { 0 } else { number(0) };
    let mut position = 4 + 8 * count;
    let mut take = |size: usize| {
        let taken = bytes[position..position + size].to_vec();
        position += size + 1;
        taken
    };
    let texts = (0..count).map(|index| {
        let name = take(number(4 + 8 * index));
        (String::from_utf8(name).expect("UTF-8"), take(number(8 + 8 * index)))
    });
    texts.collect()
}

impl State {
    fn map(&mut self, map: u32) -> Option<&mut Headers> {
        match map {
            0 => self.streams.get_mut(&self.effective),
            1 => Some(&mut self.trailers),
            6 => Some(&mut self.callout_headers),
            _ => None,
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_log(level: u32, message: *const u8, size: usize) -> u32 {
    let line = unsafe { text(message, size) };
    assert!(!line.contains('\n'), "one line per event: {line:?}");
    with(|host| host.log.push((level, line)));
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32 {
    unsafe { *time = with(|host| host.now_millis) * 1_000_000 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_tick_period_milliseconds(period: u32) -> u32 {
    with(|host| {
        let root = host.roots.get(&host.effective).copied().unwrap_or(host.effective);
        host.tick_periods.insert(root, period);
    });
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_buffer_bytes(
    buffer: u32,
    start: usize,
    max_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let whole = with(|host| match buffer {
        4 => host.callout_body.clone(),
        7 => host.configuration.clone(),
        _ => Vec::new(),
    });
    let part = &whole[start.min(whole.len())..(start + max_size).min(whole.len())];
    unsafe { hand_over(part, data, size) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32 {
    let Some(bytes) = with(|host| host.map(map).map(|headers| serialize(headers))) else { return BAD_ARGUMENT };
    unsafe { hand_over(&bytes, data, size) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_value(
    map: u32,
    key: *const u8,
    key_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let key = unsafe { text(key, key_size) };
    let found = with(|host| host.map(map)?.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()));
    let Some(value) = found else { return NOT_FOUND };
    unsafe { hand_over(&value, data, size) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_property(
    path: *const u8,
    path_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let path = unsafe { text(path, path_size) };
    let value = match path.split('\0').collect::<Vec<_>>()[..] {
        ["xds", "route_name"] => with(|host| host.route_name.clone()),
        ["xds", level, "filter_metadata", "jwt_warden"] if with(|host| host.withheld == level) => {
            return SERIALIZATION_FAILURE;
        }
        ["xds", level, "filter_metadata", "jwt_warden"] => with(|host| host.metadata.get(level).cloned()),
        ["connection", "sha256_peer_certificate_digest"] => with(|host| host.certificate_digest.clone()),
        [_, name] if with(|host| host.connection.contains_key(name)) => with(|host| host.connection[name].clone()),
        ["jwt_warden.route"] => with(|host| host.route_judged_before.clone()),
        _ => panic!("{path:?} is not a property that the filter needs"),
    };
    let Some(value) = value else { return NOT_FOUND };
    unsafe { hand_over(&value, data, size) };
    OK
}

fn edit(map: u32, change: impl FnOnce(&mut Headers)) -> u32 {
    with(|host| {
        if host.refuse_edits {
            return BAD_ARGUMENT;
        }
        host.map(map).map_or(BAD_ARGUMENT, |headers| {
            change(headers);
            OK
        })
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32 {
    let key = unsafe { text(key, key_size) };
    edit(map, |headers| headers.retain(|(name, _)| *name != key))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_replace_header_map_value(
    map: u32,
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let (key, value) = unsafe { (text(key, key_size), bytes(value, value_size)) };
    edit(map, |headers| {
        headers.retain(|(name, _)| *name != key);
        headers.push((key, value));
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_add_header_map_value(
    map: u32,
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let (key, value) = unsafe { (text(key, key_size), bytes(value, value_size)) };
    edit(map, |headers| headers.push((key, value)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_continue_stream(stream: u32) -> u32 {
    assert_eq!(stream, 0, "only requests are paused");
    with(|host| {
        if !host.streams.contains_key(&host.effective) {
            return BAD_ARGUMENT;
        }
        host.continued.push(host.effective);
        OK
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_send_local_response(
    status: u32,
    details: *const u8,
    details_size: usize,
    body: *const u8,
    body_size: usize,
    headers: *const u8,
    headers_size: usize,
    _grpc_status: i32,
) -> u32 {
    let response = unsafe {
        LocalResponse {
            status,
            details: text(details, details_size),
            headers: deserialize(&bytes(headers, headers_size)),
            body: text(body, body_size),
        }
    };
    with(|host| {
        let previous = host.responses.insert(host.effective, response);
        assert!(previous.is_none(), "one answer per request");
    });
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_effective_context(context: u32) -> u32 {
    with(|host| {
        let is_stream = host.roots.contains_key(&context);
        if context == 0 || (is_stream && !host.streams.contains_key(&context)) {
            return BAD_ARGUMENT;
        }
        host.effective = context;
        OK
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_shared_data(
    key: *const u8,
    key_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
    cas: *mut u32,
) -> u32 {
    let key = unsafe { text(key, key_size) };
    let Some((value, version)) = with(|host| host.shared.get(&key).cloned()) else { return NOT_FOUND };
    unsafe {
        hand_over(&value, data, size);
        *cas = version;
    }
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_shared_data(
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
    cas: u32,
) -> u32 {
    let (key, value) = unsafe { (text(key, key_size), bytes(value, value_size)) };
    with(|host| {
        let version = host.shared.get(&key).map_or(0, |(_, version)| *version);
        if cas != 0 && version != 0 && cas != version {
            return CAS_MISMATCH;
        }
        host.shared.insert(key, (value, version + 1));
        OK
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_define_metric(_kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32 {
    let name = unsafe { text(name, name_size) };
    with(|host| {
        host.metrics.push((name, 0));
        unsafe { *id = u32::try_from(host.metrics.len() - 1).expect("few metrics") };
    });
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_increment_metric(id: u32, offset: i64) -> u32 {
    with(|host| host.metrics[id as usize].1 += offset);
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_record_metric(id: u32, value: u64) -> u32 {
    with(|host| {
        let (name, last) = &mut host.metrics[id as usize];
        *last = i64::try_from(value).expect("a small number");
        host.gauges.insert(name.clone(), *last);
    });
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32 {
    let (path, value) = unsafe { (text(path, path_size), text(value, value_size)) };
    with(|host| {
        if host.refuse_edits || !host.streams.contains_key(&host.effective) {
            return BAD_ARGUMENT;
        }
        host.properties.insert((host.effective, path), value);
        OK
    })
}

/// This host has one function of its own, and may lack it.
#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_call_foreign_function(
    name: *const u8,
    name_size: usize,
    arguments: *const u8,
    arguments_size: usize,
    _data: *mut *mut u8,
    _size: *mut usize,
) -> u32 {
    let (name, arguments) = unsafe { (text(name, name_size), bytes(arguments, arguments_size)) };
    with(|host| {
        if name != "declare_property" || host.lacks_properties {
            return NOT_FOUND;
        }
        let declared = (host.effective, arguments);
        if host.declared.contains(&declared) {
            return BAD_ARGUMENT;
        }
        host.declared.push(declared);
        OK
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_http_call(
    cluster: *const u8,
    cluster_size: usize,
    headers: *const u8,
    headers_size: usize,
    _body: *const u8,
    _body_size: usize,
    _trailers: *const u8,
    _trailers_size: usize,
    timeout: u32,
    token: *mut u32,
) -> u32 {
    let (cluster, headers) = unsafe { (text(cluster, cluster_size), deserialize(&bytes(headers, headers_size))) };
    with(|host| {
        if host.dispatch_status != OK {
            return host.dispatch_status;
        }
        host.next_token += 1;
        host.callouts_sent += 1;
        let timeout = Duration::from_millis(timeout.into());
        host.callouts.push(Callout { token: host.next_token, root: host.effective, cluster, headers, timeout });
        unsafe { *token = host.next_token };
        OK
    })
}

/// Functions that the SDK's traits offer and the filter never calls.
macro_rules! unused {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> u32 {
            panic!(concat!("the filter called ", stringify!($name)));
        }
    )* };
}

unused! {
    proxy_close_stream proxy_dequeue_shared_queue proxy_done proxy_enqueue_shared_queue
    proxy_get_status proxy_grpc_call proxy_grpc_cancel proxy_grpc_close proxy_grpc_send
    proxy_grpc_stream proxy_register_shared_queue proxy_resolve_shared_queue proxy_set_buffer_bytes
    proxy_set_header_map_pairs
}
