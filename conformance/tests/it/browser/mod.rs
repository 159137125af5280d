//! The journeys of `product.md` in a real Chromium: Vietnamese and English, JavaScript on and off, 360 px and
//! desktop. Pictures of every page are kept in `target/test-output/`.

mod app;
mod desk;
mod enrol;
mod guardian;
mod lock;
mod manners;
mod passkeys;
mod payment;
mod portals;
mod recover;
mod refusal;
mod sign_out;
mod upstream;
