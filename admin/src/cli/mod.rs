//! The command line of the operator (`contract.md` 5).
//!
//! Owns: arguments, what is printed, and the exit status. Must not know: SQL, HTTP, how a flow decides. What a command
//! acknowledges already holds in every running server, since servers read it from the same SQL.

mod account;
mod case;
mod client;
mod eid;
mod invitation;
mod registry;
mod trace;
mod trail;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use idp::config::Config;
use idp::domain::{Fault, PersonNumber};
use idp::flow::operator::Verdict;
use idp::idp::Idp;

#[derive(Parser)]
#[command(name = "admin", version, about = "Operator console and command line of the identity provider")]
struct Arguments {
    /// The configuration file of the provider.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Admit, invite, list, show, suspend, resume and close clients.
    #[command(subcommand)]
    Client(client::Client),
    /// Import and show accounts.
    #[command(subcommand)]
    Account(account::Account),
    /// Lock and unlock an e-ID.
    #[command(subcommand)]
    Eid(eid::Eid),
    /// Export what happened to one citizen.
    #[command(subcommand)]
    Trail(trail::Trail),
    /// What holders reported as not their own doing.
    #[command(subcommand)]
    Case(case::Case),
    /// What the state's registers told.
    #[command(subcommand)]
    Registry(registry::Registry),
    /// Run the operator console.
    Serve,
}

/// What a command has to say, or the one line why it was refused.
type Told = Result<String, String>;

/// Runs one command line, program name first.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too, and end well.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match carry_out(arguments).await {
        Ok(told) => {
            if !told.is_empty() {
                println!("{told}");
            }
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("admin: {}", reason.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(arguments: Arguments) -> Told {
    let config = Config::load(arguments.config.as_deref()).map_err(|invalid| invalid.to_string())?;
    match arguments.command {
        Command::Serve => serve(config).await,
        Command::Client(client) => client.carry_out(&*open(config).await?).await,
        Command::Account(account) => account.carry_out(&open(config).await?).await,
        Command::Eid(eid) => eid.carry_out(&open(config).await?).await,
        Command::Trail(trail) => trail.carry_out(&*open(config).await?).await,
        Command::Case(case) => case.carry_out(&*open(config).await?).await,
        Command::Registry(registry) => registry.carry_out(&*open(config).await?).await,
    }
}

async fn open(config: Config) -> Result<Arc<Idp>, String> {
    Idp::open(config).await.map_err(failed)
}

async fn serve(config: Config) -> Told {
    let _log = idp::telemetry::log::init(&config.telemetry).map_err(failed)?;
    crate::web::serve(open(config).await?).await.map_err(|error| error.to_string())?;
    Ok(String::new())
}

/// A fault of ours, for the operator, who may read the detail.
fn failed(fault: Fault) -> String {
    fault.to_string()
}

/// Turns a flow's end into what the command says.
fn told<T>(ended: Result<Verdict<T>, Fault>, say: impl FnOnce(T) -> String) -> Told {
    match ended.map_err(failed)? {
        Verdict::Done(done) => Ok(say(done)),
        Verdict::Refused(reason) => Err(reason),
    }
}

/// `-` is standard input.
fn read_file(path: &Path) -> Result<String, String> {
    let read =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    read.map_err(|error| format!("{}: {error}", path.display()))
}

/// For clap, whose message would otherwise have to guess what a number is.
fn person_number(text: &str) -> Result<PersonNumber, &'static str> {
    PersonNumber::parse_any(text).ok_or(
        "a person number is twelve digits, a foreigner's up to twenty, an organisation's code stands after `org:`",
    )
}
