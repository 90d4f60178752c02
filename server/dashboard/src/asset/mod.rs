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

/// Colours and drawings, for a drawing that stands alone.
pub(crate) const DRAWING_STYLE: &str =
    concat!(include_str!("colour.css"), include_str!("drawing.css"));

/// The style of every page.
pub(crate) const STYLE: &str = concat!(
    include_str!("colour.css"),
    include_str!("style.css"),
    include_str!("drawing.css")
);

/// Every asset.
pub const ASSETS: &[Asset] = &[
    Asset {
        name: "style.css",
        media_type: "text/css; charset=utf-8",
        bytes: STYLE.as_bytes(),
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
        name: "later.js",
        media_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("later.js"),
    },
    Asset {
        name: "icon.svg",
        media_type: "image/svg+xml",
        bytes: include_bytes!("icon.svg"),
    },
];

/// Under which path assets are served.
const PREFIX: &str = "/assets/";

/// The asset of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The address of an asset, `/assets/VERSION/NAME`. The version is a hash of all assets, so what is at
/// an address never changes.
pub(crate) fn href(name: &str) -> String {
    let bytes = ASSETS.iter().flat_map(|asset| asset.bytes);
    format!("{PREFIX}{:016x}/{name}", fnv(bytes))
}

/// A short name for a text, with the version of all assets in it: for ETags of pages.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    let bytes = ASSETS.iter().flat_map(|asset| asset.bytes);
    format!("{:016x}", fnv(bytes.chain(text.as_bytes())))
}

/// FNV-1a: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv<'b>(bytes: impl Iterator<Item = &'b u8>) -> u64 {
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
            let href = href(asset.name);
            let (_, name) = href.rsplit_once('/').unwrap();
            assert_eq!(named(name).unwrap().bytes, asset.bytes);
        }
        assert!(named("../style.css").is_none());
        assert_ne!(fingerprint("/"), fingerprint("/data"));
    }
}
