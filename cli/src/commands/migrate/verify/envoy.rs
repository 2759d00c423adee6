//! An Envoy that is started for the comparison, and ends with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use jwt_warden::log::quote;
use serde_json::Value;

use super::client;
use super::folder::Folder;
use crate::{Stop, input};

/// How often it is asked whether it is ready, and how long the pause is.
const ATTEMPTS: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);
/// How many pauses it may take to end by itself.
const FAREWELL: usize = 20;
/// How much of its log is shown when it does not start.
const MAX_LINES: usize = 5;

/// A running Envoy.
pub(super) struct Envoy {
    child: Child,
    /// The admin interface; 0 until it is known.
    admin: u16,
    folder: Folder,
}

/// `--envoy`, or `$ENVOY`, or what the `PATH` has.
#[allow(clippy::disallowed_methods, reason = "the program asks the environment, and not the core")]
pub(super) fn binary(given: Option<&Path>) -> PathBuf {
    let named = || std::env::var_os("ENVOY").filter(|name| !name.is_empty()).map(PathBuf::from);
    given.map(Path::to_owned).or_else(named).unwrap_or_else(|| "envoy".into())
}

impl Envoy {
    /// Starts it, and waits until it serves.
    pub(super) fn start(binary: &Path, bootstrap: &Value, is_over: &AtomicBool) -> Result<Self, Stop> {
        let folder = Folder::new()?;
        let file = folder.path().join("envoy.json");
        let log = folder.path().join("envoy.log");
        let unwritable = |error| format!("{}: {error}", folder.path().display());
        fs::write(&file, bootstrap.to_string()).map_err(unwritable)?;
        let output = File::create(&log).map_err(unwritable)?;
        let errors = output.try_clone().map_err(unwritable)?;
        let mut command = Command::new(binary);
        command.arg("-c").arg(&file).arg("--admin-address-path").arg(folder.path().join("admin"));
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().map_err(|error| {
            format!("--envoy {}: {error}: name an Envoy, or set $ENVOY, or have `envoy` on the PATH", binary.display())
        })?;
        let mut envoy = Self { child, admin: 0, folder };
        envoy.wait(is_over)?;
        Ok(envoy)
    }

    fn wait(&mut self, is_over: &AtomicBool) -> Result<(), Stop> {
        for _ in 0..ATTEMPTS {
            if is_over.load(Ordering::Relaxed) {
                return Err("stopped".to_owned());
            }
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Err(format!("Envoy does not take the configurations:\n{}", self.complaint()));
            }
            if self.is_ready() {
                return Ok(());
            }
            sleep(PAUSE);
        }
        Err(format!("Envoy does not serve:\n{}", self.complaint()))
    }

    fn is_ready(&mut self) -> bool {
        if self.admin == 0 {
            let address = input::read(&self.folder.path().join("admin")).unwrap_or_default();
            self.admin = address.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0);
        }
        self.admin != 0 && client::page(self.admin, "GET", "/ready").is_ok_and(|page| page.trim() == "LIVE")
    }

    /// The last errors that it has logged.
    fn complaint(&self) -> String {
        let log = input::read(&self.folder.path().join("envoy.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.iter().rev().take(MAX_LINES).rev();
        let shown: Vec<_> = last.map(|line| format!("  {}", quote(line.as_bytes()))).collect();
        shown.join("\n")
    }

    /// The port of a listener.
    pub(super) fn port(&self, listener: &str) -> Result<u16, Stop> {
        let page = client::page(self.admin, "GET", "/listeners?format=json")?;
        let all: Value = serde_json::from_str(&page).unwrap_or_default();
        let statuses = all.get("listener_statuses").and_then(Value::as_array).into_iter().flatten();
        let mut named = statuses.filter(|status| status.get("name").and_then(Value::as_str) == Some(listener));
        let port = named.next().and_then(|status| status.pointer("/local_address/socket_address/port_value"));
        let port = port.and_then(Value::as_u64).and_then(|port| port.try_into().ok());
        port.ok_or_else(|| format!("Envoy has no listener {listener}"))
    }

    /// Its version, such as 1.40.0.
    pub(super) fn version(&self) -> String {
        let page = client::page(self.admin, "GET", "/server_info").unwrap_or_default();
        let all: Value = serde_json::from_str(&page).unwrap_or_default();
        let version = all.get("version").and_then(Value::as_str).unwrap_or_default();
        version.split('/').nth(1).unwrap_or("of unknown version").to_owned()
    }
}

impl Drop for Envoy {
    /// Asks it to end, for what was started may be a script around it; then ends what was started.
    fn drop(&mut self) {
        if self.admin != 0 {
            let _ = client::page(self.admin, "POST", "/quitquitquit");
        }
        for _ in 0..FAREWELL {
            if self.admin == 0 || !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            sleep(PAUSE);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
