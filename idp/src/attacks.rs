//! Attacks, what stops each, and the test that would notice if it no longer did. Documentation only.
//!
//! | attack | what stops it | where | test |
//! |---|---|---|---|
//! | redirect to an address of the attacker | an address exists only as registered, compared as bytes | `protocol::authorize::address` | `address_tests`, `wire::addresses` |
//! | code redeemed twice, or by two at once | one conditional update decides; the loser revokes the family | `store::code::spend`, `flow::token` | `races`, `store::tests` |
//! | code of one client at another | client, redirect and verifier must match | `protocol::token::code` | `code_tests`, `wire::token` |
//! | PKCE stripped or downgraded | required by default; a verifier without a challenge is refused | `protocol::pkce`, `authorize::checks` | `wire::pkce` |
//! | request tampered with on its way through the browser | pushed by the client itself, or signed by its key; what stands beside is not heard | `protocol::authorize::{par, jar}` | `wire::par`, `wire::jar` |
//! | pushed request answered twice, or by two at once | one conditional update decides, in the transaction that issues | `store::pushed::spend`, `flow::par` | `wire::par`, `store::tests` |
//! | server sent to an address of the attacker's choice by `request_uri` | only registered ones, byte for byte, through the one hardened client | `authorize::jar::carrier`, `fetch` | `jar_tests`, `wire::jar` |
//! | answer swapped or mixed up on its way back | `iss` in every answer; a signed answer names its client and ends soon | `protocol::authorize::answer` | `wire::jarm` |
//! | profile escaped by leaving something out | demands are asked of the effective request | `protocol::profile`, `authorize::checks` | `checks_tests`, `wire::fapi` |
//! | refresh token stolen | public clients rotate, a replay ends the family | `protocol::token::refresh` | `refresh_tests`, `races` |
//! | minimum level raised while a grant lives | asked again whenever tokens are minted | `protocol::token::floor` | `floor` tests, `wire::refresh` |
//! | client suspended while its request is decided | read again in the transaction that issues | `flow::authorize::proceed` | `authorize_tests` |
//! | client secret guessed | failures counted per client and network; nothing is evaluated there for a minute | `flow::caller` | `wire::budgets` |
//! | what one FAPI client signs passed off as another's | no key, and no address of keys, is registered twice | `flow::own_keys`, `store::client_key` | `wire::fapi` |
//! | assertion replayed, on any node | `jti` is spent in the transaction of the act | `store::used`, `flow::caller` | `races`, `wire::client_auth` |
//! | access token stolen | bound to a key or certificate the thief lacks | `protocol::binding`, `flow::userinfo` | `binding_tests`, `wire::dpop`, `wire::mtls`, `wire::resource_server` |
//! | DPoP proof replayed, or made for another request | spent once in SQL; method, address, token and time must match | `protocol::dpop`, `flow::binding` | `dpop_tests`, `wire::dpop`, `wire::resource_server` |
//! | memory of replays flooded so that it forgets | nothing is forgotten within its window; one client has a budget | `store::used`, `flow::binding` | `store::tests::used`, `wire::budgets` |
//! | certificate stolen, and revoked since | revocation lists of the whole chain, also for connections that stand | `keys::certificate`, `flow::tls` | `wire::mtls` |
//! | client certificate forged in a header | only proxies the operator named may state one | `web::connection` | `wire::mtls` |
//! | token made for another purpose | classes in every digest; `typ` and algorithm lists | `domain::secret`, `keys::client` | `keys` tests |
//! | token of one resource used at another, or at userinfo | the audience is in its record, asked at every use | `protocol::resource`, `flow::userinfo` | `wire::resources` |
//! | server asks about tokens that are not for it | `inactive`; one registered server for a resource | `protocol::introspect`, `store::resource` | `wire::resources` |
//! | JWT access token outlives a lock | 300 s, recorded by `jti`, never at level 2 | `protocol::access_token`, `protocol::resource` | `wire::resources` |
//! | citizen approves what was not read | shown whole on a page of its own; the form token is bound to the text and its language | `flow::transaction`, `protocol::authorization_details` | `wire::transactions` |
//! | approval from a sign-in that merely stands, or another tab's code | a code sent for that interaction and entered in it | `protocol::authorize::next`, `store::interaction::confirm` | `next_transaction_tests`, `wire::transactions` |
//! | one approval used twice | one reference a client, one spending: each one conditional statement | `store::transaction` | `store::tests`, `wire::transactions` |
//! | token of a suspended client used at a server | the client's standing is read when its server asks | `flow::introspect` | `wire::transactions` |
//! | signed answer downgraded to plain | the registration decides, no header does | `protocol::userinfo` | `wire::answers` |
//! | interaction finished by another browser | bound to the cookie of the browser that began it | `flow::page::bound` | `wire::sessions` |
//! | form posted from another site | form token inside the type, `Origin` and `Sec-Fetch-Site` | `web::read::protected` | `wire::sessions` |
//! | password guessed | counters per account, device and network in SQL, asked again with the outcome | `factor::throttle`, `flow::sign_in` | `wire::guessing` |
//! | attacker's QR code put before the victim (relay) | portal, place and browser in the app, the number of the screen that began, an approval that enters that browser alone | `flow::app`, `domain::app` | `app_tests`, `flow::app::tests`, `wire::qr` |
//! | QR code scanned by two phones, or kept for later | the first binds, everybody is told; a minute, once, only the newest | `domain::app`, `store::app` | `flow::app::tests`, `wire::qr` |
//! | somebody else speaks for the app | one statement, one signature, for us, for this act, once | `protocol::app`, `keys::client` | `flow::app::tests`, `wire::qr` |
//! | owner locked out by a stranger's guesses | a known device has a counter of its own | `factor::throttle` | `throttle` properties, `wire::guessing` |
//! | passkey of another site, frame or device | origin byte for byte, no frame, presence and verification, every byte of the answer accounted for | `factor::ceremony`, `factor::passkey` | `ceremony_tests`, `wire::passkeys` |
//! | passkey answer replayed, or carried to another browser or purpose | one conditional update spends the challenge, bound to all three | `store::ceremony`, `flow::passkey_sign_in` | `store::tests`, `wire::passkeys` |
//! | passkey of one holder in another's session | the credential's account must be the session's, and its user handle that account's | `flow::passkey_sign_in` | `wire::passkeys` |
//! | app code seen and used again | the last step is kept; only a later one counts, by one conditional update | `factor::totp`, `store::totp` | `totp` tests, `wire::totp` |
//! | thief of a password makes a factor of their own | level 2 within ten minutes; the phone is told, other sessions and offline access end | `authorize::fresh`, `flow::factor_change` | `fresh` tests, `wire::passkeys` |
//! | who has an account? | equal answers and equal work for unknown and wrong | `factor::password`, `flow::sign_in` | `wire::guessing` |
//! | locked holder acts on what was issued before | `may_act` on every path, everything ended in the lock's transaction | `domain::standing`, `flow::eid_lock` | `wire::lock`, `wire::dominance`, `wire::cut_off`, `races`, `architecture` |
//! | something issued while the lock is ordered | issuing and taking away take turns per account | `store::account::hold` | `store::tests` |
//! | signed out without asking, by a foreign page | only the session's own hint ends it unasked | `protocol::logout` | `logout_tests`, `wire::logout` |
//! | sign-out leads to the attacker | only an address registered byte for byte, and only with a hint | `protocol::logout` | `logout_tests`, `wire::logout` |
//! | portal keeps a dead session | notices put in the transaction of the act, retried, taken over | `flow::outbox`, `flow::back_channel` | `back_channel_tests`, `wire::back_channel` |
//! | logout token used as another token | `typ`, no `nonce`, two minutes | `protocol::logout_token`, `keys::ring` | `wire::back_channel` |
//! | logout address leads inside | public addresses only, no redirects, nothing read, two seconds | `fetch` | `fetch::tests`, `wire::back_channel` |
//! | claims beyond consent | asked ∩ registered ∩ consented ∩ level, at every reading | `protocol::release` | `release_tests`, `wire::consent` |
//! | lower level than demanded | demands never fall back silently | `protocol::authorize::next` | `next_tests`, `wire::levels` |
//! | portals compare their citizens | random `sub` per sector, random `sid` per client | `store::subject`, `store::session` | `wire::userinfo` |
//! | client registers itself with more than it was offered | the invitation's policy replaces what is ours to decide | `protocol::registration::policy` | `policy_tests`, `wire::register` |
//! | one invitation used by many at once | one conditional update in the client's own transaction | `store::invitation::spend` | `wire::register` |
//! | client moves into another portal's sector | the sector is frozen, and its list of addresses fetched and checked | `registration::manage`, `flow::sector` | `wire::register` |
//! | key taken out of a client's set still signs | a fetched set serves five minutes at most | `flow::client_keys` | `client_keys_tests`, `wire::client_keys` |
//! | we are made to fetch again and again, or from inside | one fetch at a time, half a minute apart, public addresses only | `flow::client_keys`, `fetch` | `client_keys_tests`, `fetch` tests |
//! | another provider's answer passed off as the one asked | `state` is of one browser, provider and interaction, once; `iss` before any token request | `flow::upstream`, `domain::upstream` | `wire::upstream` |
//! | another provider vouches for somebody else's account | a link is made by password and code in that browser, never by what is asserted | `flow::linking` | `wire::upstream::linking` |
//! | link proof used twice, elsewhere, by another | one row, claimed by one account and spent by one update | `store::upstream` | `wire::upstream::linking` |
//! | another provider hangs, floods or redirects our secret | five seconds, 64 KiB, no redirects, and a breaker | `fetch::exchange`, `upstream::breaker` | `wire::upstream` |
//! | database dump | values sealed, numbers found by keyed index, secrets as digests | `keys::seal`, `flow::sealed` | `dump` |
//! | Redis lost, rolled back or cut off | nothing in it decides anything but a soft limit | `ephemeral`, `web::limit` | `ephemeral::tests` |
//! | storage fails in the middle of an act | one transaction; a fault is never told as a success | `store`, `web::reply` | `wire::faults` |
//! | requests that are too large, too slow or of another protocol | bounds before anything is read | `web::patience`, `web::serve` | `wire::exhaustion`, `wire::times`, `wire::tls` |
//! | log tells too much | personal numbers print masked, secrets do not print | `domain::secret`, `domain::person_number` | unit tests, `dump` |
