//! All fuzz targets in one program: `GENOTOK_FUZZ_TARGET` names the one that runs.
#![no_main]

use std::sync::OnceLock;

use genotok_core::testing::fuzz::{FuzzTarget, TARGETS, single_thread};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<FuzzTarget> = OnceLock::new();

/// The target of the environment; the process ends with a list of all if there is none of this name.
fn chosen() -> FuzzTarget {
    let name = std::env::var("GENOTOK_FUZZ_TARGET").unwrap_or_default();
    TARGETS.iter().find(|(known, _)| *known == name).map_or_else(
        || {
            let names = TARGETS.map(|(known, _)| known).join(", ");
            eprintln!("GENOTOK_FUZZ_TARGET is {name:?}, expected one of: {names}");
            std::process::exit(2)
        },
        |(_, target)| *target,
    )
}

fuzz_target!(
    init: {
        single_thread();
        TARGET.set(chosen()).ok();
    },
    |data: &[u8]| if let Some(target) = TARGET.get() {
        target(data);
    }
);
