//! Runs the vendored `flatc` over one schema: `depthwire-flatc SCHEMA RUST_DIR TS_DIR`.
//!
//! Exit codes: 0 written, 1 flatc failed, 2 bad usage.

use std::env::args_os;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let args: Vec<OsString> = args_os().skip(1).collect();
    let [schema, rust_dir, ts_dir] = args.as_slice() else {
        eprintln!("usage: depthwire-flatc SCHEMA RUST_DIR TS_DIR");
        return ExitCode::from(2);
    };
    let written = run(&["--rust"], rust_dir, schema) && run(&["--ts"], ts_dir, schema);
    if written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(language: &[&str], out_dir: &OsStr, schema: &OsStr) -> bool {
    let flatc = flatc_fork::flatc();
    match Command::new(flatc).args(language).arg("-o").arg(out_dir).arg(schema).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot run {}: {error}", flatc.display());
            false
        }
    }
}
