//! Raw HTTP against a sandbox process: the catalogue of `security.md` 2 and the promises of `contract.md`, each
//! group with its positive control. Tests are named by the row or clause they hold.

mod accounts;
mod addresses;
mod authorize;
mod client_auth;
mod consent;
mod dpop;
mod guessing;
mod headers;
mod introspection;
mod levels;
mod lock;
mod logout;
mod metadata;
mod mtls;
mod pkce;
mod prompts;
mod refresh;
mod sessions;
mod tls;
mod token;
mod userinfo;
