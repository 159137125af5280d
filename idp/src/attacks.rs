//! Attacks, what stops each, and the test that would notice if it no longer did. Documentation only.
//!
//! | attack | what stops it | where | test |
//! |---|---|---|---|
//! | redirect to an address of the attacker | an address exists only as registered, compared as bytes | `protocol::authorize::address` | `address_tests`, `wire::addresses` |
//! | code redeemed twice, or by two at once | one conditional update decides; the loser revokes the family | `store::code::spend`, `flow::token` | `races`, `store::tests` |
//! | code of one client at another | client, redirect and verifier must match | `protocol::token::code` | `code_tests`, `wire::token` |
//! | PKCE stripped or downgraded | required by default; a verifier without a challenge is refused | `protocol::pkce`, `authorize::checks` | `wire::pkce` |
//! | refresh token stolen | public clients rotate, a replay ends the family | `protocol::token::refresh` | `refresh_tests`, `races` |
//! | assertion replayed, on any node | `jti` is spent in the transaction of the act | `store::used`, `flow::caller` | `races`, `wire::client_auth` |
//! | access token stolen | bound to a key or certificate the thief lacks | `protocol::binding`, `flow::userinfo` | `binding_tests`, `wire::dpop`, `wire::mtls` |
//! | DPoP proof replayed, or made for another request | spent once in SQL; method, address, token and time must match | `protocol::dpop`, `flow::binding` | `dpop_tests`, `wire::dpop` |
//! | client certificate forged in a header | only proxies the operator named may state one | `web::connection` | `wire::mtls` |
//! | token made for another purpose | classes in every digest; `typ` and algorithm lists | `domain::secret`, `keys::client` | `keys` tests |
//! | interaction finished by another browser | bound to the cookie of the browser that began it | `flow::page::bound` | `wire::sessions` |
//! | form posted from another site | form token inside the type, `Origin` and `Sec-Fetch-Site` | `web::read::protected` | `wire::sessions` |
//! | password guessed | counters per account, device and network in SQL, asked again with the outcome | `factor::throttle`, `flow::sign_in` | `wire::guessing` |
//! | owner locked out by a stranger's guesses | a known device has a counter of its own | `factor::throttle` | `throttle` properties, `wire::guessing` |
//! | who has an account? | equal answers and equal work for unknown and wrong | `factor::password`, `flow::sign_in` | `wire::guessing` |
//! | locked holder acts on what was issued before | `may_act` on every path, everything ended in the lock's transaction | `domain::standing`, `flow::eid_lock` | `wire::lock`, `architecture` |
//! | something issued while the lock is ordered | issuing and taking away take turns per account | `store::account::hold` | `store::tests` |
//! | claims beyond consent | asked ∩ registered ∩ consented ∩ level, at every reading | `protocol::release` | `release_tests`, `wire::consent` |
//! | lower level than demanded | demands never fall back silently | `protocol::authorize::next` | `next_tests`, `wire::levels` |
//! | portals compare their citizens | random `sub` per sector, random `sid` per client | `store::subject`, `store::session` | `wire::userinfo` |
//! | database dump | values sealed, numbers found by keyed index, secrets as digests | `keys::seal`, `flow::sealed` | `dump` |
//! | Redis lost, rolled back or cut off | nothing in it decides anything but a soft limit | `ephemeral`, `web::limit` | `ephemeral::tests` |
//! | log tells too much | personal numbers print masked, secrets do not print | `domain::secret`, `domain::person_number` | unit tests, `dump` |
