//! The root context: one plugin instance of one worker.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType, LogLevel};
use sha2::{Digest as _, Sha256};

use super::gauges::Identity;
use super::stream::Stream;
use super::worker::Worker;
use super::{abi, effects};
use crate::config::{self, Config};
use crate::log::Line;

pub(super) struct Root {
    context_id: u32,
    worker: Option<Rc<Worker>>,
}

impl Root {
    pub(super) const fn new(context_id: u32) -> Self {
        Self { context_id, worker: None }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize, _trailers: usize) {
        if let Some(worker) = &self.worker {
            worker.receive(token, headers, body_size);
        }
    }
}

impl RootContext for Root {
    /// Refusing here stops Envoy's start, or leaves the listener as it was.
    fn on_configure(&mut self, size: usize) -> bool {
        let text = abi::buffer(BufferType::PluginConfiguration, size).unwrap_or_default();
        let Some(config) = load(&text).filter(effects::declare_properties) else { return false };
        self.worker = Worker::new(self.context_id, config, identity(&text)).map(Rc::new);
        self.worker.iter().for_each(|worker| worker.start());
        self.worker.is_some()
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.tick();
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context_id, self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// What stands for a configuration: the same for every worker that has it.
fn identity(text: &[u8]) -> Identity {
    Sha256::digest(text).into()
}

/// Parses the configuration; what is wrong with it goes to the log, never the configuration itself.
fn load(text: &[u8]) -> Option<Config> {
    #[allow(clippy::disallowed_methods, reason = "the adapter passes the VM's environment in")]
    let environment = |name: &str| std::env::var(name).ok();
    match config::parse(text, &environment) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                abi::log(LogLevel::Warn, &format!("jwt-warden: configuration: {warning}"));
            }
            let line = Line::new("configured")
                .field("providers", loaded.config.providers.len())
                .field("rules", loaded.config.rules.len());
            abi::log(LogLevel::Info, &line.finish());
            Some(loaded.config)
        }
        Err(error) => {
            for mistake in error.to_string().lines() {
                abi::log(LogLevel::Error, &format!("jwt-warden: configuration refused: {mistake}"));
            }
            None
        }
    }
}
