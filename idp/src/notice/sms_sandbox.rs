//! The sandbox's phone: messages go into a sealed inbox and nowhere else.

use std::sync::Arc;

use super::{Notice, Pending};
use crate::domain::Moment;

/// Who seals and keeps a message.
pub trait Inbox: Send + Sync {
    fn keep<'a>(&'a self, to: &'a str, text: &'a str, at: Moment) -> Pending<'a, ()>;
}

pub struct SandboxSms(Arc<dyn Inbox>);

impl SandboxSms {
    pub fn new(inbox: Arc<dyn Inbox>) -> Self {
        Self(inbox)
    }
}

impl Notice for SandboxSms {
    fn send<'a>(&'a self, to: &'a str, text: &'a str, at: Moment) -> Pending<'a, ()> {
        self.0.keep(to, text, at)
    }
}
