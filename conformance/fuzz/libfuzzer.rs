//! One fuzzer for every target: `FUZZ_TARGET` names it. Run by `conformance/fuzz/run`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    fuzz::find(&name).unwrap_or_else(|| panic!("FUZZ_TARGET names none of the targets: {name:?}"))
});

fuzz_target!(|input: &[u8]| TARGET(input));
