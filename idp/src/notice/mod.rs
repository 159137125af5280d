//! Notices: how a text reaches a holder.
//!
//! Owns: the trait and its two ways, the operator's SMS gateway and the sandbox's inbox. Must not know: what a
//! message says, how a row is sealed or stored, how a connection is made - the last two arrive as trait objects.

mod sms_http;
mod sms_sandbox;

use std::future::Future;
use std::pin::Pin;

pub use sms_http::{HttpSms, Post};
pub use sms_sandbox::{Inbox, SandboxSms};

use crate::domain::{Fault, Moment};

const ROOM: &str = "notice";

/// A future a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

pub trait Notice: Send + Sync {
    /// Sends `text` to the phone number `to` (E.164). `Ok` means handed over, not read.
    fn send<'a>(&'a self, to: &'a str, text: &'a str, at: Moment) -> Pending<'a, ()>;
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;
    use crate::domain::fault::Cause;

    struct Gateway {
        status: u16,
        seen: Mutex<Vec<(String, Option<String>, Value)>>,
    }

    impl Post for Gateway {
        fn post<'a>(&'a self, url: &'a str, bearer: Option<&'a str>, body: Value) -> Pending<'a, u16> {
            self.seen.lock().unwrap().push((url.to_owned(), bearer.map(str::to_owned), body));
            Box::pin(async { Ok(self.status) })
        }
    }

    #[tokio::test]
    async fn the_gateway_gets_one_post_and_its_refusal_is_ours_to_bear() {
        for (status, sent) in [(200, true), (202, true), (301, false), (400, false), (503, false)] {
            let gateway = Arc::new(Gateway { status, seen: Mutex::default() });
            let sms = HttpSms::new("https://sms.example.vn/send", Some("key".to_owned()), gateway.clone());
            let result = sms.send("+84912345678", "Ma 012345", Moment::from_unix(0)).await;
            assert_eq!(result.is_ok(), sent, "{status}");
            if let Err(fault) = result {
                assert_eq!(fault.cause, Cause::Unavailable);
                assert!(!fault.detail.contains("012345") && !fault.detail.contains("+84912345678"));
            }
            let body = json!({"to": "+84912345678", "text": "Ma 012345"});
            let expected = ("https://sms.example.vn/send".to_owned(), Some("key".to_owned()), body);
            assert_eq!(*gateway.seen.lock().unwrap(), [expected]);
        }
    }

    #[derive(Default)]
    struct Kept(Mutex<Vec<(String, String, Moment)>>);

    impl Inbox for Kept {
        fn keep<'a>(&'a self, to: &'a str, text: &'a str, at: Moment) -> Pending<'a, ()> {
            self.0.lock().unwrap().push((to.to_owned(), text.to_owned(), at));
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test]
    async fn the_sandbox_keeps_the_message() {
        let inbox = Arc::new(Kept::default());
        let sms: Arc<dyn Notice> = Arc::new(SandboxSms::new(inbox.clone()));
        sms.send("+84912345678", "Ma 012345", Moment::from_unix(7)).await.unwrap();
        let kept = ("+84912345678".to_owned(), "Ma 012345".to_owned(), Moment::from_unix(7));
        assert_eq!(*inbox.0.lock().unwrap(), [kept]);
    }
}
