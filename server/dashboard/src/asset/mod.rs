//! Style, scripts and icon to addresses that never change their content.
//!
//! # To add one
//!
//! Its file here and its row in [`ASSETS`].

/// A file that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

/// Every asset.
pub const ASSETS: &[Asset] = &[
    Asset {
        name: "style.css",
        media_type: "text/css; charset=utf-8",
        bytes: include_bytes!("style.css"),
    },
    Asset {
        name: "page.js",
        media_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("page.js"),
    },
    Asset {
        name: "chart.js",
        media_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("chart.js"),
    },
    Asset {
        name: "icon.svg",
        media_type: "image/svg+xml",
        bytes: include_bytes!("icon.svg"),
    },
];

/// Under which path assets are served.
pub const PREFIX: &str = "/assets/";

/// The asset at a path, `/assets/VERSION/NAME`; the version is not looked at.
#[must_use]
pub fn at_path(path: &str) -> Option<&'static Asset> {
    let (_, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The address of an asset. It holds a hash of all assets, so it may be kept for ever.
pub(crate) fn href(name: &str) -> String {
    format!("{PREFIX}{:016x}/{name}", version())
}

/// FNV-1a over all assets: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn version() -> u64 {
    let bytes = ASSETS.iter().flat_map(|asset| asset.bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_their_assets() {
        for asset in ASSETS {
            assert_eq!(at_path(&href(asset.name)).unwrap().name, asset.name);
        }
        assert!(at_path("/assets/x").is_none() && at_path("/assets/x/../style.css").is_none());
    }
}
