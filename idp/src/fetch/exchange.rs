//! Calls to another provider: a document or a form, and the answer whatever its status. No redirect is followed, so what
//! is sent along is never sent on.

use super::{Fetch, ROOM, failed, read};
use crate::domain::Fault;

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Fetch {
    /// Posts `form`, or asks for the document where there is none.
    pub async fn exchange(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        form: Option<String>,
    ) -> Result<Exchanged, Fault> {
        let (client, url) = self.toward(url)?;
        let mut request = match form {
            Some(form) => client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form),
            None => client.get(url),
        };
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(Fault::unavailable(ROOM, format!("answered {status}")));
        }
        let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Exchanged { status, content_type, body: read(response).await? })
    }
}
