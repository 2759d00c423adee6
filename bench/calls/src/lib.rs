//! A filter that makes the calls of the host that jwt-warden makes for each good token, and does nothing else: what it costs
//! is about what no filter that makes these calls can save.
//!
//! Its configuration has the questions for `verify_signature`, each behind its size in 32 bits, little-endian: requests
//! take them in turn. Where there are none, nothing is verified. What the host does not do is answered with 500, or
//! ends the module: either ends the bench.

use std::cell::Cell;
use std::ptr::null_mut;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MapType};

/// The host's answer of two bytes: field 1, a boolean, is true.
const VERIFIED: [u8; 2] = [0x08, 0x01];

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// By itself, for the SDK's own function takes the headers apart, which is work of the filter's.
    fn proxy_get_header_map_pairs(map: MapType, data: *mut *mut u8, size: *mut usize) -> u32;
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
        if !reads_headers()
            || self.get_current_time() == UNIX_EPOCH
            || !self.0.next().is_none_or(|asked| self.verifies(asked))
        {
            self.send_http_response(500, Vec::new(), None);
            return Action::Pause;
        }
        self.remove_http_request_header("authorization");
        Action::Continue
    }
}

impl Stream {
    fn verifies(&self, question: &[u8]) -> bool {
        let answer = self.call_foreign_function("verify_signature", Some(question));
        answer.ok().flatten().is_some_and(|answer| answer == VERIFIED)
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
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes pointer and size of a buffer that it allocates.
    let status = unsafe { proxy_get_header_map_pairs(MapType::HttpRequestHeaders, &raw mut data, &raw mut size) };
    if status != 0 || data.is_null() {
        return false;
    }
    // SAFETY: the SDK has allocated a boxed slice of exactly `size` bytes for the host.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) });
    true
}
