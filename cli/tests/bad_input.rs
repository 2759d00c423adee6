//! Files that nobody means, and the pages and completions that are made of the program's own arguments.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jwt-warden")).args(arguments).output().unwrap()
}

fn place(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn a_huge_file_is_not_read() {
    let file = place("huge").join("huge.yaml");
    File::create(&file).unwrap().set_len((16 << 20) + 1).unwrap();
    let output = run(&["check", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is larger than 16 MiB: is it a configuration?"));
}

#[test]
fn thousands_of_mistakes_are_counted() {
    let file = place("many").join("many.json");
    let members: Vec<_> = (0..5000).map(|number| format!("\"nonsense-{number}\": 1")).collect();
    fs::write(&file, format!("{{{}}}", members.join(", "))).unwrap();
    let output = run(&["check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("has 4000 more mistakes"), "{}", text.lines().last().unwrap_or_default());
}

#[test]
fn thousands_of_providers_are_refused_at_once() {
    let file = place("many").join("providers.yaml");
    let providers: Vec<_> = (0..20_000).map(|number| format!("  p{number}: 1\n")).collect();
    fs::write(&file, format!("providers:\n{}", providers.concat())).unwrap();
    let output = run(&["migrate", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
}

/// `| head` ends the program, without a complaint.
#[test]
fn a_closed_pipe_is_no_mistake() {
    let native = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/migrate/inputs/native.yaml");
    for (arguments, code) in [(vec!["schema"], 0), (vec!["man"], 0), (vec!["migrate", native], 1)] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_jwt-warden"));
        let mut child = program.args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{arguments:?}");
    }
}

/// An answer that nobody gets is none, whatever it would have been.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let native = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/migrate/inputs/native.yaml");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/explain/explain.in/warden.json");
    for arguments in [vec!["schema"], vec!["migrate", native], vec!["explain", "--config", config, "/orders"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_jwt-warden")).args(&arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("the standard output cannot be written"));
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("list-lints"), "{shell}");
    }
}

#[test]
fn every_command_has_a_page() {
    let out = place("man");
    assert_eq!(run(&["man", "--out", out.to_str().unwrap()]).status.code(), Some(0));
    for (page, text) in [("jwt-warden.1", "jwt\\-warden\\-check(1)"), ("jwt-warden-check.1", "list\\-lints")] {
        #[allow(clippy::disallowed_methods, reason = "tests read files")]
        let page = fs::read_to_string(out.join(page)).unwrap();
        assert!(page.contains(text), "{page}");
    }
    assert_eq!(run(&["man"]).status.code(), Some(0));
    let occupied = out.join("jwt-warden.1");
    assert_eq!(run(&["man", "--out", occupied.to_str().unwrap()]).status.code(), Some(2));
}
