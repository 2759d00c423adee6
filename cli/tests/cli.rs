//! What people read: the program's output beside the command, in tests/cmd.

#[test]
fn outputs() {
    trycmd::TestCases::new().case("tests/cmd/*/*.toml").case("tests/cmd/*/*.md");
}
