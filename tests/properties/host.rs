//! Whatever the host and the servers behind it do, and in whatever order: nothing passes without a token that counts, and
//! each request gets one answer.

use std::time::Duration;

use serde_json::json;

use super::draw::Draw;
use super::foreign::{Headers, Plugin, Verdict, advance, body_passes, finish, forget, logged, trailers, verdict, with};
use super::mint::{EcKey, NOW, claims, claims_with, jwks};

/// The worst that may happen to a request, and what is known of it.
struct Sent {
    id: u32,
    /// Whether its token counts once the key set is there.
    is_good: bool,
    token: String,
}

struct Scene {
    workers: [Plugin; 2],
    requests: Vec<Sent>,
    /// Whether a server has ever given out the right keys.
    has_keys: bool,
}

/// Made once: a signature takes longer than everything else here.
struct Minted {
    good: String,
    bad: [String; 4],
    keys: String,
    other_keys: String,
}

impl Minted {
    fn new() -> Self {
        let (key, other) = (EcKey::new("a", 1), EcKey::new("a", 2));
        Self {
            good: key.token(&claims_with("exp", json!(NOW + 1_000_000))),
            bad: [
                other.token(&claims()),
                key.token(&claims_with("exp", json!(NOW - 100))),
                key.token(&claims_with("aud", json!("other"))),
                EcKey::new("unknown", 1).token(&claims()),
            ],
            keys: jwks(&[key.jwk()]),
            other_keys: jwks(&[other.jwk()]),
        }
    }
}

thread_local! {
    static MINTED: &'static Minted = Box::leak(Box::new(Minted::new()));
}

/// A host that does what the bytes say.
pub fn check(bytes: &[u8]) {
    forget();
    with(|host| host.now_millis = NOW * 1000);
    let mut draw = Draw::new(bytes);
    let configuration = configuration(&mut draw);
    with(|host| {
        let address = draw.pick(&[None, Some("127.0.0.1:1"), Some("[::1]:1"), Some("/run/socket"), Some("\u{0}")]);
        host.connection.insert("address", address.map(|address| address.as_bytes().to_vec()));
    });
    let start = || Plugin::start(configuration.as_bytes()).unwrap_or_else(|| panic!("refused: {:?}", logged(0)));
    let mut scene = Scene { workers: [start(), start()], requests: Vec::new(), has_keys: false };
    for _ in 0..200 {
        if draw.is_empty() {
            break;
        }
        scene.act(&mut draw);
        scene.look();
    }
    scene.requests.iter().for_each(|request| finish(request.id));
    scene.workers.iter().for_each(|worker| worker.stop());
}

fn configuration(draw: &mut Draw<'_>) -> String {
    let uri = |path: &str| json!({"uri": format!("https://issuer.test/{path}"), "cluster": "issuer", "timeout": "5s"});
    let mut provider = json!({
        "issuer": "https://issuer.test", "audiences": ["api"],
        "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
        "claim_to_filter_state": [{"claim_name": "sub", "name": "user"}],
    });
    if draw.one_in(3) {
        provider["discovery"] = json!({"http_uri": uri("metadata")});
    } else {
        provider["remote_jwks"] = json!({"http_uri": uri("keys")});
    }
    match draw.below(4) {
        0 => provider["revocation"] = json!({"denylists": [{"http_uri": uri("denylist")}]}),
        1 => {
            let revoked_when = json!({"json_pointer": "/EXISTS", "equals": 1});
            provider["revocation"] =
                json!({"lookup": {"http_uri": uri("{sub}"), "ttl": "10s", "revoked_when": revoked_when}});
        }
        _ => {}
    }
    json!({"providers": {"acme": provider}, "failed_attempts": {"limit": 5, "window": "60s"}}).to_string()
}

impl Sent {
    /// The last forty characters of the token, if it is long enough for nothing else to end so.
    fn end(&self) -> Option<&str> {
        let (start, _) = self.token.char_indices().nth_back(39)?;
        (start > 60).then(|| &self.token[start..])
    }
}

impl Scene {
    fn act(&mut self, draw: &mut Draw<'_>) {
        let worker = draw.pick(&self.workers);
        match draw.below(12) {
            0..=2 => self.send(worker, draw),
            3 | 4 => self.answer(worker, draw),
            5 => worker.tick(),
            6 => advance(Duration::from_millis(draw.pick(&[1, 250, 1000, 5000, 60_000, 700_000, 90_000_000]))),
            7 => with(|host| host.refuse_edits = draw.one_in(2)),
            // The others that the ABI knows are none of this function's, and end the VM in the SDK.
            8 => with(|host| host.dispatch_status = draw.pick(&[0, 0, 2, 10])),
            9 => with(|host| spoil(&mut host.shared, draw)),
            10 => self.go_on(draw),
            _ => self.end(draw),
        }
    }

    fn send(&mut self, worker: Plugin, draw: &mut Draw<'_>) {
        let minted = MINTED.with(|minted| *minted);
        let (token, is_good) = match draw.below(8) {
            bad @ 0..=3 => (minted.bad[bad].clone(), false),
            4 => (String::from_utf8_lossy(draw.bytes(40)).into_owned(), false),
            _ => (minted.good.clone(), true),
        };
        let mut headers: Headers = vec![(":method".into(), b"GET".to_vec()), (":path".into(), b"/api".to_vec())];
        if !draw.one_in(8) {
            headers.push(("authorization".into(), format!("Bearer {token}").into_bytes()));
        }
        if draw.one_in(2) {
            headers.push(("x-user".into(), b"mallory".to_vec()));
        }
        if draw.one_in(6) {
            headers.push((draw.pick(&["x-other", ":path", "authorization", ""]).into(), draw.bytes(30).to_vec()));
        }
        let id = worker.request_of_bytes(headers, draw.one_in(2));
        self.requests.push(Sent { id, is_good, token });
    }

    fn answer(&mut self, worker: Plugin, draw: &mut Draw<'_>) {
        if !with(|host| host.callouts.iter().any(|callout| callout.root == worker.0)) {
            return;
        }
        let Minted { keys: good, other_keys, .. } = MINTED.with(|minted| *minted);
        let metadata = json!({"issuer": "https://issuer.test", "jwks_uri": "https://issuer.test/keys"}).to_string();
        let body = match draw.below(10) {
            0..=3 => good.clone().into_bytes(),
            4 => metadata.into_bytes(),
            5 => json!({"EXISTS": draw.pick(&[json!(0), json!(1), json!("0")])}).to_string().into_bytes(),
            6 => json!({"jti": [], "sub": {"alice": NOW}}).to_string().into_bytes(),
            7 => other_keys.as_bytes()[..100].to_vec(),
            8 => vec![b'['; draw.below(60_000)],
            _ => draw.bytes(200).to_vec(),
        };
        let status = draw.pick(&["200", "200", "200", "304", "404", "503", "", "abc", "-1"]);
        self.has_keys |= body == good.as_bytes();
        let age = draw.pick(&["max-age=1", "max-age=99999999999999999999", "no-store", "\u{0}"]);
        match draw.below(4) {
            0 => worker.answer(&[], &body),
            1 => worker.answer(&[(":status", status), (":status", "200"), ("cache-control", age)], &body),
            _ => worker.answer(&[(":status", status), ("cache-control", age), ("etag", "\"1\"")], &body),
        }
    }

    /// More of a request arrives; what is held or has been answered stays out.
    fn go_on(&mut self, draw: &mut Draw<'_>) {
        let Some(request) = self.requests.get(draw.below(self.requests.len().max(1))) else { return };
        let waits = !matches!(verdict(request.id), Verdict::Upstream(_));
        let passes =
            if draw.one_in(2) { body_passes(request.id) } else { trailers(request.id, &[("x-user", "m")]).is_some() };
        assert!(!(waits && passes), "a request that did not pass went on");
    }

    fn end(&mut self, draw: &mut Draw<'_>) {
        if self.requests.is_empty() {
            return;
        }
        let request = self.requests.swap_remove(draw.below(self.requests.len()));
        finish(request.id);
    }

    fn look(&self) {
        for request in &self.requests {
            let Verdict::Upstream(headers) = verdict(request.id) else { continue };
            assert!(request.is_good && self.has_keys, "passed: {headers:?}");
            let users: Vec<_> = headers.iter().filter(|(name, _)| name == "x-user").map(|(_, value)| value).collect();
            assert_eq!(users, [b"alice"], "{headers:?}");
        }
        for (_, line) in with(|host| std::mem::take(&mut host.log)) {
            assert!(!self.requests.iter().filter_map(Sent::end).any(|end| line.contains(end)), "{line}");
        }
    }
}

/// Another plugin writes into what all workers share.
fn spoil(shared: &mut std::collections::BTreeMap<String, (Vec<u8>, u32)>, draw: &mut Draw<'_>) {
    let number = shared.len().max(1);
    let Some((value, version)) = shared.values_mut().nth(draw.below(number)) else { return };
    match draw.below(4) {
        0 => value.truncate(draw.below(value.len() + 1)),
        1 if !value.is_empty() => {
            let position = draw.below(65_536) % value.len();
            value[position] ^= draw.byte();
        }
        2 => *value = draw.bytes(60).to_vec(),
        _ => *version = version.wrapping_add(1),
    }
}
