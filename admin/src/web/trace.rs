//! The page of one client: who it is, and the requests of its that were refused.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::{Client, Fault, Id};
use idp::flow;
use idp::flow::operator::Verdict;
use idp::protocol::trace::{PAGE, Wanted};
use idp::web::page::calendar;
use serde::Deserialize;

use super::Console;
use super::door::{Setting, to_operator};
use super::page::{self, ClientPage, ClientRow, RefusalRow};
use super::words::Words;

#[derive(Deserialize)]
pub struct Looking {
    #[serde(default)]
    reference: String,
    before: Option<String>,
}

/// `/clients/{client_id}`.
pub async fn show(
    request: HttpRequest,
    client: web::Path<String>,
    looking: web::Query<Looking>,
    console: web::Data<Console>,
) -> HttpResponse {
    let (client, looking) = (Id::new(client.into_inner()), looking.into_inner());
    to_operator(&request, &console, async |Setting { words, form_token, .. }| {
        let shown = client_page(&client, looking, form_token, words, &console.idp).await?;
        Ok(shown.map_or_else(|| page::not_found(words, &console), |shown| page::client(&shown, &console)))
    })
    .await
}

/// `None`: there is no such client.
pub async fn client_page(
    client: &Id<Client>,
    looking: Looking,
    form_token: String,
    words: &'static Words,
    idp: &idp::idp::Idp,
) -> Result<Option<ClientPage>, Fault> {
    let clients = flow::client::list(idp).await?;
    let Some(registered) = clients.iter().find(|registered| registered.client.id == *client) else { return Ok(None) };
    let reference = looking.reference.trim().to_ascii_uppercase();
    let wanted =
        Wanted { reference: (!reference.is_empty()).then(|| reference.clone()), before: looking.before.map(Id::new) };
    let Verdict::Done(mut refused) = flow::trace::list(client, wanted, idp).await? else { return Ok(None) };
    let is_more = refused.len() > PAGE;
    refused.truncate(PAGE);
    let more = refused.last().filter(|_| is_more).map(|last| last.id.to_string());
    let refused = refused.into_iter().map(|refused| RefusalRow { at: calendar::second(refused.at), refused }).collect();
    let client = ClientRow::new(registered, words.language);
    Ok(Some(ClientPage { words, form_token, client, reference, refused, more }))
}

#[cfg(test)]
impl Looking {
    pub fn for_reference(reference: &str) -> Self {
        Self { reference: reference.to_owned(), before: None }
    }
}
