//! The migrations are embedded from outside the crate, where cargo does not look by itself.

fn main() {
    println!("cargo:rerun-if-changed=../migrations/portable");
}
