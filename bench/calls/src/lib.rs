//! A filter that makes the calls of the host that jwt-warden makes for each good token, and does nothing else: what it costs
//! is about what no filter that makes these calls can save.
//!
//! Its configuration has the questions for `verify_signature`, each behind its size in 32 bits, little-endian: requests
//! take them in turn. Where there are none, nothing is verified. Whatever the host does not do is answered with 500, which
//! ends the bench.

use std::cell::Cell;
use std::ptr::null_mut;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

const REQUEST_HEADERS: u32 = 0;
/// The host's answer of two bytes: field 1, a boolean, is true.
const VERIFIED: [u8; 2] = [0x08, 0x01];

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
}

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root(Rc::default())));
}}

#[derive(Default)]
struct Questions {
    all: Vec<Vec<u8>>,
    asked: Cell<usize>,
}

struct Root(Rc<Questions>);

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        let Some(all) = split(&configuration) else { return false };
        self.0 = Rc::new(Questions { all, asked: Cell::new(0) });
        true
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream(Rc::clone(&self.0))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream(Rc<Questions>);

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if reads_headers() && reads_clock() && self.0.next().is_none_or(verifies) && removes("authorization") {
            return Action::Continue;
        }
        self.send_http_response(500, Vec::new(), None);
        Action::Pause
    }
}

impl Questions {
    fn next(&self) -> Option<&[u8]> {
        let asked = self.asked.replace(self.asked.get() + 1);
        self.all.get(asked % self.all.len().max(1)).map(Vec::as_slice)
    }
}

/// The questions of a configuration; `None` if its last one is cut off.
fn split(mut configuration: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    while !configuration.is_empty() {
        let (size, rest) = configuration.split_first_chunk()?;
        let (question, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        all.push(question.to_vec());
        configuration = rest;
    }
    Some(all)
}

fn reads_headers() -> bool {
    // SAFETY: the host writes pointer and size of a buffer that it allocates.
    buffer_of(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, size) }).is_some()
}

fn reads_clock() -> bool {
    let mut time = 0;
    // SAFETY: the host writes one number.
    unsafe { proxy_get_current_time_nanoseconds(&raw mut time) == 0 && time > 0 }
}

fn verifies(arguments: &[u8]) -> bool {
    let name = "verify_signature";
    // SAFETY: name and arguments outlive the call; the host writes pointer and size of a buffer that it allocates.
    let answer = buffer_of(|data, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), arguments.as_ptr(), arguments.len(), data, size)
    });
    answer.is_some_and(|answer| *answer == VERIFIED)
}

fn removes(name: &str) -> bool {
    // SAFETY: the name outlives the call.
    unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) == 0 }
}

/// The buffer that the host makes; `None` if it makes none.
fn buffer_of(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Box<[u8]>> {
    let (mut data, mut size) = (null_mut(), 0);
    if call(&raw mut data, &raw mut size) != 0 || data.is_null() {
        return None;
    }
    // SAFETY: the SDK has allocated a boxed slice of exactly `size` bytes for the host.
    Some(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) })
}
