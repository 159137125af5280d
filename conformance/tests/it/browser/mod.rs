//! The journeys of `product.md` in a real Chromium: Vietnamese and English, JavaScript on and off, 360 px and
//! desktop. Pictures of every page are kept in `target/test-output/`.

mod guardian;
mod manners;
mod payment;
mod portals;
mod refusal;
mod sign_out;
