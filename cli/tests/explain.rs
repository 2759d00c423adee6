//! `jwt-warden explain`, asked about what is no question: it says so in a sentence and never panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const CONFIGURATION: &str = "tests/cmd/explain/explain.in/warden.json";

const PIECES: [&str; 12] =
    ["eyJhbGciOiJFZERTQSJ9", ".", "e30", "AAAA", "=", "W10", "e", "-_", "\"", " ", "eyJhIjpbW11dfQ", "Bearer "];

/// The exit code, and what the program says and complains of.
fn explain(arguments: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jwt-warden"))
        .arg("explain")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CLICOLOR_FORCE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program need not read all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[test]
fn files_of_every_kind_get_a_sentence() {
    let folder = tempdir();
    let kinds: [(&str, Vec<u8>); 7] = [
        ("empty", Vec::new()),
        ("huge", vec![b'a'; 17 << 20]),
        ("binary", (0..=255).collect()),
        ("zeros", vec![0; 100]),
        ("deep", b"[".repeat(100_000)),
        ("half", br#"{"providers": {"a": {"iss"#.to_vec()),
        ("words", b"this is no token, nor anything else\n".to_vec()),
    ];
    for (name, bytes) in kinds {
        let file = folder.join(name);
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        for arguments in [["--config", file], ["--config", "-"]] {
            check_refused(&[&arguments[..], &["/"]].concat(), b"\xff\xfe");
        }
        check_refused(&["--config", CONFIGURATION, "--jwks", file, "/orders"], b"");
        if !["words", "deep"].contains(&name) {
            check_refused(&["--config", CONFIGURATION, "--token", &format!("@{file}"), "/orders"], b"");
        }
    }
    check_refused(&["--config", CONFIGURATION, "--token", "-", "/orders"], b"");
}

fn check_refused(arguments: &[&str], stdin: &[u8]) {
    let (code, shown, complaint) = explain(arguments, stdin);
    assert_eq!((code, shown.as_str()), (2, ""), "{arguments:?}: {complaint}");
    let sentence = complaint.strip_prefix("jwt-warden: ").expect(&complaint);
    assert!((20..1000).contains(&sentence.len()) && !complaint.contains("panicked"), "{arguments:?}: {complaint}");
}

#[test]
fn no_token_is_too_strange() {
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..60 {
        let token: String = (0..next() % 9).map(|_| PIECES[next() % PIECES.len()]).collect();
        for option in ["--token", "--dpop"] {
            let (code, _, complaint) =
                explain(&["--config", CONFIGURATION, &format!("{option}={token}"), "/orders"], b"");
            assert!((1..=3).contains(&code) && !complaint.contains("panicked"), "{token:?}: {complaint}");
        }
    }
}

/// With colours, the only escape sequences are those of the program itself.
#[test]
fn what_comes_from_outside_brings_no_escape_sequences() {
    let token = "@tests/cmd/explain/explain.in/hostile.jwt";
    let header = "x-forged: \u{1b}[31m\u{9b}2J\u{202e}";
    for url in ["/orders", "/any", "/public", "/\u{9b}31m"] {
        let (code, shown, complaint) =
            explain(&["--config", CONFIGURATION, "--token", token, "--header", header, url], b"");
        assert_eq!((code == 2, shown.contains("\u{1b}[1m")), (url.contains('\u{9b}'), code != 2), "{shown}{complaint}");
        let shown = shown + &complaint;
        for sequence in shown.split('\u{1b}').skip(1) {
            let ours = ["[0m", "[1m", "[31m", "[32m", "[33m"].iter().any(|known| sequence.starts_with(known));
            assert!(ours && !sequence.starts_with("[31mname"), "{sequence:?}");
        }
        assert!(!shown.contains(['\u{9b}', '\u{7}', '\u{7f}', '\u{202e}']), "{shown:?}");
    }
}

fn tempdir() -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explain");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
