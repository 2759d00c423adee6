//! `jwt-warden`: checks and explains configurations, migrates others' to the filter's, mints tokens to try it with. It is
//! built from the filter's own core, so that what it says is what the filter does.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal prints")]

mod arguments;
mod clock;
mod commands;
mod finding;
mod input;
mod minting;
mod output;
mod pasted;
mod plugin;
mod signals;
mod yaml;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

/// What ends a command early: a sentence for the operator, who gets the exit code 2.
type Stop = String;

fn main() -> ExitCode {
    match commands::run(Arguments::parse()) {
        Ok(code) => code,
        Err(sentence) => {
            anstream::eprintln!("jwt-warden: {sentence}");
            ExitCode::from(2)
        }
    }
}
