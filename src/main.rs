//! The command line program; everything it does lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    odoo_session_reaper::app::main().into()
}
