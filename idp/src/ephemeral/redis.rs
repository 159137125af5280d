//! The short memory of several processes: Redis, asked briefly. A slow answer is no answer (N-26).

use std::future::Future;
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, RedisError, Script};
use tokio::time::timeout;

use super::rest::Rest;
use super::{Answer, Ephemeral};
use crate::domain::{Fault, Span};

const PATIENCE: Duration = Duration::from_millis(100);
const CONNECT: Duration = Duration::from_secs(1);

/// Counting and starting the window are one step; a counter that lost its end gets one again.
static HIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local n = redis.call('INCR', KEYS[1]) \
         if n == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end \
         return n",
    )
});

pub(super) struct Redis {
    client: Client,
    /// Made on first use, since it wants a running runtime; then it reconnects by itself.
    manager: OnceLock<ConnectionManager>,
    rest: Rest,
    born: Instant,
}

impl Redis {
    #[expect(clippy::disallowed_methods, reason = "how long Redis is let be decides nothing else")]
    pub(super) fn open(url: &str) -> Result<Redis, Fault> {
        // The error may repeat the URL, and the URL may hold a password.
        let client = Client::open(url).map_err(|_| Fault::unavailable("ephemeral", "the Redis URL does not parse"))?;
        Ok(Redis { client, manager: OnceLock::new(), rest: Rest::default(), born: Instant::now() })
    }

    fn connection(&self) -> Result<ConnectionManager, Fault> {
        if let Some(manager) = self.manager.get() {
            return Ok(manager.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config).map_err(failed)?;
        Ok(self.manager.get_or_init(|| manager).clone())
    }

    async fn soon<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, Fault> {
        let now = || u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !self.rest.may_ask(now()) {
            return Err(Fault::unavailable("ephemeral", "Redis did not answer a moment ago"));
        }
        // Waiting for a connection counts too; the attempt to connect goes on for the next caller.
        let result = match timeout(PATIENCE * 2, work).await {
            Ok(result) => result.map_err(failed),
            Err(_) => Err(Fault::unavailable("ephemeral", "Redis does not answer")),
        };
        self.rest.told(result.is_ok(), now());
        result
    }
}

// Each kind of key has its own prefix, so that a counter is never read as a value (D9).
fn count_key(key: &str) -> String {
    format!("idp:count:{key}")
}

fn value_key(key: &str) -> String {
    format!("idp:value:{key}")
}

fn millis(span: Span) -> i64 {
    span.as_seconds().max(1).saturating_mul(1000)
}

fn failed(error: RedisError) -> Fault {
    Fault::unavailable("ephemeral", error)
}

impl Ephemeral for Redis {
    fn hit<'a>(&'a self, key: &'a str, window: Span) -> Answer<'a, u64> {
        Box::pin(async move {
            let mut link = self.connection()?;
            let mut call = HIT.prepare_invoke();
            call.key(count_key(key)).arg(millis(window));
            self.soon(call.invoke_async(&mut link)).await
        })
    }

    fn put<'a>(&'a self, key: &'a str, value: &'a str, ttl: Span) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut link = self.connection()?;
            let seconds = u64::try_from(ttl.as_seconds()).unwrap_or(0).max(1);
            self.soon(link.set_ex(value_key(key), value, seconds)).await
        })
    }

    fn peek<'a>(&'a self, key: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let mut link = self.connection()?;
            self.soon(link.get(value_key(key))).await
        })
    }

    fn forget<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut link = self.connection()?;
            self.soon(link.del(value_key(key))).await
        })
    }

    fn announce<'a>(&'a self, topic: &'a str, text: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut link = self.connection()?;
            self.soon(link.publish(format!("idp:{topic}"), text)).await
        })
    }
}
