//! `admin`: exit status 0 done, 1 refused with one line why, 2 wrong usage.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    admin::cli::run(std::env::args_os()).await
}
