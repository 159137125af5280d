//! What every authorization response says of the browser's session (OpenID Connect Session Management §2).

use super::Browser;
use crate::domain::Fault;
use crate::domain::relying_party::Client;
use crate::idp::Idp;
use crate::protocol::authorize::address::ReturnAddress;
use crate::protocol::scope;
use crate::protocol::session_state::session_state;

/// The address with its `session_state`; a plain OAuth client knows no such thing.
pub fn stated(address: ReturnAddress, client: &Client, browser: &Browser, idp: &Idp) -> Result<ReturnAddress, Fault> {
    if !client.has_scope(scope::OPENID) {
        return Ok(address);
    }
    let browser_state = browser.state.as_deref().unwrap_or_default();
    let state = session_state(client.id.as_str(), address.uri(), browser_state, &idp.random.text()?);
    Ok(address.stating(state))
}
