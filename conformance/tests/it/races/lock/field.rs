//! Everything that is under way for one holder, ready to be let loose.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::attacks::{Attack, NEW_PASSWORD};
use super::{Ground, by_command, offset};
use crate::support::app::approval;
use crate::support::ask::Ask;
use crate::support::attempt::{Attempt, Way, step_of};
use crate::support::authenticator::Authenticator;
use crate::support::equipped::{Ways, at_qr, proved, typed};
use crate::support::flow::{Tokens, Will, consent_form, redeemed, sign_in_form};
use crate::support::holder::Holder;
use crate::support::op::Manner;
use crate::support::sandbox::Sandbox;
use crate::support::wire::Visitor;

pub struct Field {
    pub holder: Holder,
    /// Where the holder presses the button.
    pub own: Visitor,
    pub tokens: Tokens,
    pub attacks: Vec<Attack>,
}

/// Attacks in the making.
struct Making<'a> {
    ground: &'a Ground,
    holder: &'a Holder,
    round: usize,
    attacks: Vec<Attack>,
}

impl Making<'_> {
    fn idp(&self) -> &Sandbox {
        &self.ground.abroad.sandbox
    }

    fn add(&mut self, name: &'static str, way: Way, browser: &Arc<Visitor>, again: bool) {
        let after = if again { Duration::ZERO } else { offset(self.round, self.attacks.len() + 3) };
        let attempt = Attempt { way, browser: Arc::clone(browser) };
        self.attacks.push(Attack { name, attempt, again, after });
    }

    fn again(&mut self, name: &'static str, way: Way, browser: &Arc<Visitor>) {
        self.add(name, way, browser, true);
    }

    fn single(&mut self, name: &'static str, way: Way, browser: Visitor) {
        self.add(name, way, &Arc::new(browser), false);
    }

    fn ask(&self) -> Ask {
        Ask::of(&self.ground.clients[0]).scope("openid profile offline_access")
    }

    /// What a browser does that is signed in, and what was issued to it.
    async fn standing(&mut self, passkey: &Authenticator) -> (Arc<Visitor>, Tokens) {
        let [client, other, _] = self.ground.clients.clone();
        let browser = Arc::new(self.idp().visitor());
        let ask = self.ask();
        let at = browser.open(&ask.target()).await;
        let at = browser.submit(&at, &proved(&at, passkey)).await;
        let end = self.idp().walk(&browser, at, self.holder, Will::AllowAll).await;
        let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
        let asked = |ask: Ask| (client.clone(), ask);
        let (unspent, ask) = (self.ask(), self.ask());
        let code = browser.get(&unspent.target()).await.returned().unwrap().code();
        self.again("authorize", Way::Open(ask.target(), Some(asked(ask))), &browser);
        let silent = self.ask().with("prompt", "none");
        self.again("authorize silently", Way::Open(silent.target(), Some(asked(silent))), &browser);
        let (access, refresh) = (tokens.access().to_owned(), tokens.refresh().to_owned());
        self.again("refresh", Way::Refresh(client.clone(), Mutex::new(refresh)), &browser);
        self.again("userinfo", Way::Read(client.clone(), access.clone()), &browser);
        self.again("introspect", Way::Introspect(client.clone(), access), &browser);
        self.again("identity shown", Way::Open("/identity".to_owned(), None), &browser);
        self.add("redeem", Way::Redeem(asked(unspent), code), &browser, false);
        let pushed = self.ask();
        let target = client.bring(&client.pushed(&pushed).await);
        self.add("pushed request", Way::Open(target, Some(asked(pushed))), &browser, false);
        let wanted = Ask::of(&other).scope("openid profile");
        let page = browser.open(&wanted.target()).await;
        assert_eq!(page.page().name(), "consent");
        let allow = consent_form(&page, Will::AllowAll);
        self.add("consent", Way::Press(Box::new(page), allow, Some((other, wanted))), &browser, false);
        (browser, tokens)
    }

    async fn step_ups(&mut self, ways: &Ways) {
        let high = self.ground.clients[2].clone();
        let (browser, ask, at) = self.idp().half_way(&high, self.holder).await;
        let enter = typed(&at, &ways.unused_code());
        self.single("app code", Way::Press(Box::new(at), enter, Some((high.clone(), ask))), browser);
        let (browser, ask, at) = self.idp().half_way(&high, self.holder).await;
        let at = browser.submit(&at, &at.page().press("use-sms", &[], &[])).await;
        let enter = typed(&at, &self.idp().otp(&self.holder.phone).await);
        self.single("otp", Way::Press(Box::new(at), enter, Some((high, ask))), browser);
    }

    /// Every way in from outside.
    async fn sign_ins(&mut self, ways: Ways) {
        let Ways { passkey, phone, sub, .. } = ways;
        let client = self.ground.clients[0].clone();
        let (browser, ask) = (self.idp().visitor(), self.ask());
        let at = browser.open(&ask.target()).await;
        let form = proved(&at, &passkey);
        self.single("passkey", Way::Press(Box::new(at), form, Some((client.clone(), ask))), browser);
        let (browser, ask) = (self.idp().visitor(), self.ask());
        let target = self.ground.abroad.on_the_way(&browser, &ask, Manner::of(&sub)).await;
        self.single("upstream", Way::Open(target, Some((client.clone(), ask))), browser);
        let (browser, ask) = (self.idp().visitor(), self.ask());
        let (at, code) = at_qr(&browser, &ask).await;
        phone.confirm(&code, &["passcode"]).await;
        self.single("approved before", Way::Open(at.url.to_string(), Some((client.clone(), ask))), browser);
        let browser = self.idp().visitor();
        let (at, code) = at_qr(&browser, &self.ask()).await;
        let scanned = phone.scan(&code).await;
        let said = approval(&code, &scanned, &code.number, &["face"]);
        self.single("approve", Way::Approve(Box::new(phone), said, Box::new(at)), browser);
        // A right password ends a recovery: where one is to be finished, nobody comes by password.
        if !by_command(self.round) {
            let (browser, ask) = (self.idp().visitor(), self.ask());
            let at = browser.open(&ask.target()).await;
            let form = sign_in_form(&at, &self.holder.number, &self.holder.password);
            self.single("password", Way::Press(Box::new(at), form, Some((client, ask))), browser);
        }
    }

    /// A recovery on a device the account knows: at its code, or at the new password where the lock is an officer's –
    /// it ends every session, the one the holder would press in as well.
    async fn recovery(&mut self, own: &Visitor) {
        let (browser, at, enter) = self.idp().recovering(own, self.holder).await;
        if !by_command(self.round) {
            return self.single("recovery's code", Way::Recover(Box::new(at), enter, "new-password"), browser);
        }
        let at = browser.submit(&at, &enter).await;
        assert_eq!(step_of(&at), "new-password", "{}", at.page().text);
        let chosen = [("password", NEW_PASSWORD), ("password_again", NEW_PASSWORD)];
        let form = at.page().press("submit", &chosen, &[]);
        self.single("recovery", Way::Recover(Box::new(at), form, "done"), browser);
    }

    /// What takes something from the others as well, a third of the rounds each.
    async fn in_turn(&mut self, standing: &Arc<Visitor>) {
        match self.round % 3 {
            0 => {
                let page = standing.open("/identity").await;
                let withdraw = page.page().press(&format!("withdraw-{}", self.ground.clients[0].id), &[], &[]);
                self.add("identity posted", Way::Press(Box::new(page), withdraw, None), standing, false);
            }
            1 => {
                let code = self.idp().binding_code(standing, self.holder).await;
                self.single("new app", Way::Bind(code, Mutex::default()), self.idp().visitor());
            }
            _ => {
                let (browser, at, enter, sub) = self.ground.abroad.linking(self.holder).await;
                self.single("link", Way::Link(Box::new(at), enter, sub), browser);
            }
        }
    }
}

pub async fn field(ground: &Ground, round: usize, holder: Holder) -> Field {
    let own = ground.abroad.sandbox.visitor();
    let ways = ground.abroad.equipped(&own, &holder).await;
    let mut making = Making { ground, holder: &holder, round, attacks: Vec::new() };
    let (standing, tokens) = making.standing(&ways.passkey).await;
    making.step_ups(&ways).await;
    making.in_turn(&standing).await;
    making.recovery(&own).await;
    making.sign_ins(ways).await;
    let attacks = making.attacks;
    Field { holder, own, tokens, attacks }
}
