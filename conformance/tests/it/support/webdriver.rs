//! A real Chromium behind chromedriver: one fresh profile a screen, ended with it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use thirtyfour::prelude::*;

use super::holder::Holder;
use super::port;
use super::sandbox::{Ended, Sandbox, spawn};

const LOADS_WITHIN: Duration = Duration::from_secs(60);

/// How a person looks at our pages.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub language: &'static str,
    pub script: bool,
    pub width: u32,
}

/// Vietnamese and English, JavaScript on and off, phone and desktop.
pub fn views() -> Vec<View> {
    let mut views = Vec::new();
    for language in ["vi", "en"] {
        for script in [true, false] {
            views.extend([360, 1280].map(|width| View { language, script, width }));
        }
    }
    views
}

pub struct Screen {
    pub driver: WebDriver,
    view: View,
    journey: &'static str,
    shots: std::cell::Cell<u32>,
    _chromedriver: Ended,
}

impl Screen {
    pub async fn open(view: View, journey: &'static str) -> Screen {
        let port = port::one();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "chromedriver", &format!("--port={port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let chromedriver = Ended(spawn(command));
        let end = Instant::now() + LOADS_WITHIN;
        let driver = loop {
            match WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities(view)).await {
                Ok(driver) => break driver,
                Err(error) if Instant::now() > end => panic!("no browser: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        Screen { driver, view, journey, shots: 0.into(), _chromedriver: chromedriver }
    }

    pub async fn close(self) {
        self.driver.quit().await.unwrap();
    }

    pub async fn goto(&self, address: &str) {
        self.driver.goto(address).await.unwrap();
    }

    /// Waits for an element by its stable id, on a page that is there as a whole.
    pub async fn find(&self, id: &str) -> WebElement {
        let end = Instant::now() + LOADS_WITHIN;
        loop {
            if self.whole().await
                && let Ok(element) = self.driver.find(By::Id(id)).await
            {
                return element;
            }
            if Instant::now() > end {
                self.shot("missing").await;
                panic!("no #{id} at {}: {}", self.path().await, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn has(&self, id: &str) -> bool {
        self.driver.find(By::Id(id)).await.is_ok()
    }

    /// Waits for a page that is there as a whole and has no such id: a click does not wait for the page it leads to.
    pub async fn gone(&self, id: &str) {
        let end = Instant::now() + LOADS_WITHIN;
        while self.has(id).await || !self.whole().await {
            assert!(Instant::now() < end, "#{id} stays at {}: {}", self.path().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn click(&self, id: &str) {
        let element = self.find(id).await;
        element.scroll_into_view().await.ok();
        element.click().await.unwrap();
    }

    /// The first element a selector finds.
    pub async fn click_first(&self, selector: &str) {
        self.driver.find(By::Css(selector)).await.unwrap().click().await.unwrap();
    }

    pub async fn fill(&self, id: &str, text: &str) {
        let element = self.find(id).await;
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    /// Waits for the page of this name (`data-page`), then looks at its manners and keeps a picture.
    pub async fn arrives_at(&self, page: &str) {
        let end = Instant::now() + LOADS_WITHIN;
        while self.page_name().await != page || !self.whole().await {
            if Instant::now() > end {
                self.shot("lost").await;
                panic!(
                    "waited for {page:?}, at {:?} {}: {}",
                    self.page_name().await,
                    self.path().await,
                    self.text().await
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.manners().await;
        self.shot(page).await;
    }

    /// The whole page is there, not only its beginning.
    async fn whole(&self) -> bool {
        let state = self.driver.execute("return document.readyState", Vec::new()).await;
        state.is_ok_and(|state| *state.json() == json!("complete"))
    }

    /// Waits for the first of these ids: where a click leads to one page or another.
    pub async fn either<'a>(&self, ids: &[&'a str]) -> &'a str {
        let end = Instant::now() + LOADS_WITHIN;
        loop {
            for id in ids {
                if self.has(id).await {
                    return id;
                }
            }
            assert!(Instant::now() < end, "none of {ids:?} at {}: {}", self.path().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn page_name(&self) -> String {
        let Ok(body) = self.driver.find(By::Tag("body")).await else { return String::new() };
        body.attr("data-page").await.ok().flatten().unwrap_or_default()
    }

    pub async fn path(&self) -> String {
        self.driver.current_url().await.map(|url| url.path().to_owned()).unwrap_or_default()
    }

    pub async fn text(&self) -> String {
        let Ok(body) = self.driver.find(By::Tag("body")).await else { return String::new() };
        body.text().await.unwrap_or_default()
    }

    /// Person number and password on the sign-in page.
    pub async fn sign_in(&self, holder: &Holder) {
        self.arrives_at("sign-in").await;
        self.fill("person_number", &holder.number).await;
        self.fill("password", &holder.password).await;
        self.click("submit").await;
    }

    pub async fn enter_otp(&self, sandbox: &Sandbox, holder: &Holder) {
        self.arrives_at("otp").await;
        self.fill("otp", &sandbox.otp(&holder.phone).await).await;
        self.click("submit").await;
    }

    /// Language, one heading, labels, nothing wider than the screen, no script where script is off.
    pub async fn manners(&self) {
        let seen = self.driver.execute(include_str!("manners.js"), Vec::new()).await.unwrap();
        let seen = seen.json();
        let place = format!("{} ({:?})", self.page_name().await, self.view);
        assert_eq!(seen["lang"], json!(self.view.language), "{place}: language");
        assert_eq!(seen["headings"], json!(1), "{place}: one h1");
        assert_eq!(seen["unlabelled"], json!([]), "{place}: every field has a label");
        assert_eq!(seen["unnamed"], json!([]), "{place}: every button and link says what it does");
        assert_eq!(seen["foreign"], json!([]), "{place}: no third-party resource");
        assert_eq!(seen["overflow"], json!(0), "{place}: no sideways scrolling");
        assert_eq!(seen["ticked"], json!(0), "{place}: nothing is ticked beforehand");
    }

    /// A picture of the whole page in `target/test-output/`. Chromium never answers when the page leaves meanwhile, so
    /// only a page that stays is taken, or one that has just come.
    pub async fn shot(&self, name: &str) {
        let number = self.shots.get() + 1;
        self.shots.set(number);
        let script = if self.view.script { "js" } else { "nojs" };
        let file =
            format!("{}-{}-{script}-{}-{number:02}-{name}.png", self.journey, self.view.language, self.view.width);
        let browser = self.driver.cdp();
        let size = &browser.send_raw("Page.getLayoutMetrics", json!({})).await.unwrap()["cssContentSize"];
        let whole = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": whole});
        let picture = browser.send_raw("Page.captureScreenshot", wanted).await;
        let picture =
            picture.unwrap_or_else(|error| panic!("{}: no picture; did the page leave? {error}", self.journey));
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(output().join(file), picture).unwrap();
    }
}

/// `target/test-output/`, made when missing.
pub fn output() -> PathBuf {
    let target = super::sandbox::program("sandbox").parent().and_then(|profile| profile.parent()).unwrap().to_owned();
    let place = target.join("test-output");
    std::fs::create_dir_all(&place).unwrap();
    place
}

fn capabilities(view: View) -> Capabilities {
    let mut chrome = DesiredCapabilities::chrome();
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
    ] {
        chrome.add_arg(argument).unwrap();
    }
    let mut preferences = json!({"intl.accept_languages": view.language});
    if !view.script {
        preferences["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    chrome.add_experimental_option("prefs", preferences).unwrap();
    // Headless windows have a least width of their own; device metrics go below it.
    let metrics = json!({"width": view.width, "height": 800, "pixelRatio": 1.0, "touch": false, "mobile": false});
    chrome.add_experimental_option("mobileEmulation", json!({"deviceMetrics": metrics})).unwrap();
    chrome.into()
}
