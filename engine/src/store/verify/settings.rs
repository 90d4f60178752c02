//! The owner's settings to their faults.

use super::Faults;
use crate::catalog::settings::load_settings;

/// Reads the settings whole.
pub(super) fn check(faults: &mut Faults) {
    let Some(file) = faults.manifest().settings else {
        return;
    };
    if faults.is_sound(&file)
        && let Err(error) = load_settings(&faults.snapshot)
    {
        faults.add_at(&file, error);
    }
}
