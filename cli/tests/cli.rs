//! What people read: `TRYCMD=overwrite cargo test -p jwt-warden-cli --test cli` writes it anew.

#[test]
fn what_people_read() {
    trycmd::TestCases::new().case("tests/cmd/*/*.md").case("tests/cmd/*/*.toml");
}
