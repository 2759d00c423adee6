//! What the program says: every command with its output, as people read it.

#[test]
fn commands_say_what_they_should() {
    trycmd::TestCases::new().case("tests/cmd/*/*.toml").case("tests/cmd/*/*.md");
}
