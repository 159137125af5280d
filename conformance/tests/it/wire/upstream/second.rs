//! A second instance of this provider as upstream of the first, end to end over the wire.

use std::time::Duration;

use conformance::sandbox::upstream::registration;
use serde_json::json;

use crate::support::flow::Will;
use crate::support::holder::Holder;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

struct Pair {
    here: Sandbox,
    there: Sandbox,
}

fn pair() -> Pair {
    let there = Sandbox::fresh();
    let place = tempfile::tempdir().unwrap().keep();
    let secret = crate::support::fresh();
    std::fs::write(place.join("secret"), &secret).unwrap();
    let text = format!(
        "[upstream.authority]\nissuer = \"{}\"\nclient_id = \"downstream\"\nclient_secret_file = \"secret\"\n\
         name_vi = \"Cơ quan định danh bạn\"\nlevels = {{\"urn:vn:eid:muc:2\" = 2}}\n",
        there.issuer
    );
    std::fs::write(place.join("upstream.toml"), text).unwrap();
    let file: &'static str = Box::leak(place.join("upstream.toml").display().to_string().into_boxed_str());
    let here = Sandbox::with(Box::leak(Box::new(["--upstream", file])));
    there.put_client(&registration(&here.issuer, &secret));
    Pair { here, there }
}

impl Pair {
    /// To the other instance, through its own pages, and back.
    async fn go(&self, here: &Visitor, there: &Visitor, holder: &Holder) -> Answer {
        let at = here.open("/identity").await;
        let button = at.page().by_id("upstream-authority").unwrap().attribute("href").unwrap().to_owned();
        let away = here.get(&button).await;
        let page = there.open(away.location().unwrap().as_str()).await;
        let end = self.there.walk(there, page, holder, Will::AllowAll).await;
        let back = end.location().unwrap_or_else(|| panic!("{}", end.page().text));
        here.open(back.as_str()).await
    }
}

#[tokio::test]
async fn a_second_instance_signs_in_links_and_ends_what_rests_on_it() {
    let pair = pair();
    let (ours, theirs) = (pair.here.citizen(), pair.there.citizen());
    let (here, there) = (pair.here.visitor(), pair.there.visitor());
    let at = pair.go(&here, &there, &theirs).await;
    assert_eq!(at.page().name(), "link", "{}", at.page().text);
    let fields = [("person_number", ours.number.as_str()), ("password", ours.password.as_str())];
    let code = here.submit(&at, &at.page().press("submit", &fields, &[])).await;
    let otp = pair.here.otp(&ours.phone).await;
    let end = here.submit(&code, &code.page().press("submit", &[("otp", &otp)], &[])).await;
    assert_eq!(end.page().name(), "identity", "{}", end.page().text);

    // Another browser there and here: signed in as the linked account, at the lowest level.
    let (here, there) = (pair.here.visitor(), pair.there.visitor());
    let at = pair.go(&here, &there, &theirs).await;
    assert!(at.page().name() == "identity" && at.body.contains(&ours.name), "{}", at.page().text);
    let signed_in = pair.here.trail(&ours).into_iter().rfind(|event| event["kind"] == "sign_in").unwrap();
    assert_eq!(signed_in["detail"]["factor"], json!("upstream_1"));

    // UP-19: locked there, signed out here, within the patience of a back-channel logout.
    pair.there.lock(&theirs);
    let mut stands = true;
    for _ in 0..100 {
        stands = here.open("/identity").await.page().name() == "identity";
        if !stands {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!stands, "what rests on a locked account there ends here");
    assert_eq!(pair.here.trail_count(&ours, "upstream_signed_out"), 1);
}
