//! Consecutive failures counted against one thing: an account, an (account, device) pair, an OTP purpose.

use super::moment::Moment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    pub first_at: Moment,
    pub last_at: Moment,
}
