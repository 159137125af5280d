//! The levels a client, or the service a grant is for, may not be served below. They are asked again whenever tokens are
//! minted, because a minimum may have been raised since the sign-in and an account level may have gone.

use crate::domain::Client;
use crate::domain::grant::Grant;
use crate::domain::standing::Standing;
use crate::protocol::error::Error;

/// `contract.md` 4: a minimum is a demand, and a demand is met or refused, never passed over. The holder mends it by
/// signing in again; the grant stays, for it may hold once more.
pub fn met(grant: &Grant, client: &Client, standing: Standing) -> Result<(), Error> {
    let Some(level) = grant.holder().and_then(|holder| holder.acquaintance.level()) else { return Ok(()) };
    let (floor, levels) = (client.floor_of(grant.service.as_deref()), standing.levels(level));
    let reason = if floor.account > levels.account {
        "account_level"
    } else if floor.authentication > Some(levels.authentication) {
        "authentication_level"
    } else {
        return Ok(());
    };
    let told = format!("{reason} of the sign-in is below what the client requires now");
    Err(Error::invalid_grant("RFC 6749 §5.2", told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::consent::Bilingual;
    use crate::domain::grant::Party;
    use crate::domain::relying_party::Service;
    use crate::domain::{AccountLevel, Factor};
    use crate::protocol::fixtures::{self, at};

    fn service(account: Option<u8>, authentication: Option<u8>) -> Service {
        let title = Bilingual { vi: "Dịch vụ".to_owned(), en: "Service".to_owned() };
        let code = "1.004222".to_owned();
        Service { code, title, min_account_level: account, min_auth_level: authentication, claims: vec![] }
    }

    #[test]
    fn contract_4_a_minimum_raised_since_is_a_demand() {
        let one = [(Factor::Password, 900)].as_slice();
        let two = [(Factor::Password, 900), (Factor::SmsOtp, 950)].as_slice();
        type Minimum = (Option<u8>, Option<u8>);
        type Row<'a> = (Minimum, Minimum, AccountLevel, &'a [(Factor, i64)], Option<&'a str>);
        let none: Minimum = (None, None);
        let rows: [Row<'_>; 8] = [
            (none, none, AccountLevel::One, one, None),
            ((Some(1), Some(1)), none, AccountLevel::One, one, None),
            ((Some(2), Some(2)), none, AccountLevel::Two, two, None),
            ((Some(2), None), none, AccountLevel::One, two, Some("account_level")),
            ((None, Some(2)), none, AccountLevel::Two, one, Some("authentication_level")),
            (none, (Some(2), None), AccountLevel::One, two, Some("account_level")),
            (none, (None, Some(2)), AccountLevel::Two, one, Some("authentication_level")),
            (none, (Some(2), Some(2)), AccountLevel::Two, two, None),
        ];
        for (of_client, of_service, level, proofs, refused) in rows {
            let mut client = fixtures::client("rp", "openid");
            (client.min_account_level, client.min_auth_level) = of_client;
            client.services = vec![service(of_service.0, of_service.1)];
            let mut grant = fixtures::grant("rp", "openid");
            grant.service = Some("1.004222".to_owned());
            grant.party = Party::Holder(fixtures::authentication(proofs));
            let standing = fixtures::standing(&fixtures::account(Some(level)), at(1000)).unwrap();
            let found = met(&grant, &client, standing).err().map(|error| error.told.to_string());
            assert_eq!(
                found.as_deref().and_then(|told| told.split(' ').next()),
                refused,
                "{of_client:?} {of_service:?}"
            );
            // Another service's minimum is none of this grant's business.
            grant.service = None;
            assert!(of_client != none || met(&grant, &client, standing).is_ok());
        }
        let mut own = fixtures::grant("rp", "openid");
        own.party = Party::ClientItself;
        let mut client = fixtures::client("rp", "openid");
        client.min_account_level = Some(2);
        let standing = fixtures::standing(&fixtures::account(None), at(1000)).unwrap();
        assert!(met(&own, &client, standing).is_ok(), "nobody signed in for it");
    }
}
