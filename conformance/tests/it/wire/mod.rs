//! Raw HTTP against a sandbox process: the catalogue of `security.md` 2 and the promises of `contract.md`, each
//! group with its positive control. Tests are named by the row or clause they hold.

mod accounts;
mod addresses;
mod answers;
mod authorize;
mod back_channel;
mod check_session;
mod client_auth;
mod client_keys;
mod consent;
mod dpop;
mod fapi;
mod front_channel;
mod guessing;
mod headers;
mod introspection;
mod invitations;
mod jar;
mod jarm;
mod levels;
mod lock;
mod logout;
mod metadata;
mod mtls;
mod par;
mod pkce;
mod prompts;
mod refresh;
mod register;
mod resources;
mod sessions;
mod times;
mod tls;
mod token;
mod transactions;
mod userinfo;
