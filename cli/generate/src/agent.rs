//! Random bits to a user agent in the Hub's grammar: `name/version; key/value; …`.
//!
//! A downloader keeps its client, versions included; a session has its own id; the transformers
//! family says of each file what it is for.

use crate::downloader::hex;
use crate::random::Random;

/// The user agent of a visit, not yet written out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Agent {
    /// Bits that choose the client: the downloader's.
    pub(crate) client: u64,
    /// Bits that become the session's id.
    pub(crate) session: u64,
    /// Whether the files are weights, not configuration.
    pub(crate) weights: bool,
}

impl Agent {
    /// Appends the text; nothing if there is no user agent.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let mut bits = Random(self.client);
        match bits.below(100) {
            0..34 => self.write_library(&mut bits, "transformers", &TRANSFORMERS, out),
            34..42 => self.write_library(&mut bits, "diffusers", &DIFFUSERS, out),
            42..47 => self.write_library(&mut bits, "sentence-transformers", &SENTENCES, out),
            47..66 => {
                out.extend_from_slice(b"unknown/None");
                pair(out, "hf_hub", one_of(&mut bits, &HUB));
                pair(out, "python", one_of(&mut bits, &PYTHON));
                pair(out, "torch", one_of(&mut bits, &TORCH));
            }
            66..74 => {
                out.extend_from_slice(b"datasets/");
                out.extend_from_slice(one_of(&mut bits, &DATASETS).as_bytes());
                pair(out, "hf_hub", one_of(&mut bits, &HUB));
                pair(out, "python", one_of(&mut bits, &PYTHON));
                pair(out, "pyarrow", one_of(&mut bits, &PYARROW));
            }
            74..97 => out.extend_from_slice(one_of(&mut bits, &WHOLE).as_bytes()),
            _ => {}
        }
    }

    fn write_library(self, bits: &mut Random, name: &str, versions: &[&str], out: &mut Vec<u8>) {
        out.extend_from_slice(name.as_bytes());
        out.push(b'/');
        out.extend_from_slice(one_of(bits, versions).as_bytes());
        pair(out, "python", one_of(bits, &PYTHON));
        out.extend_from_slice(b"; session_id/");
        let mut session = Random(self.session);
        out.extend_from_slice(&hex(session.next()));
        out.extend_from_slice(&hex(session.next()));
        pair(out, "torch", one_of(bits, &TORCH));
        pair(
            out,
            "file_type",
            if self.weights { "model" } else { "config" },
        );
        if bits.chance(180_000) {
            pair(out, "is_ci", "true");
        }
    }
}

fn pair(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b"; ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'/');
    out.extend_from_slice(value.as_bytes());
}

/// Earlier members are likelier: three of four come from the first half.
fn one_of<'a>(bits: &mut Random, list: &[&'a str]) -> &'a str {
    let len = list.len() as u32;
    list[bits.below(len).min(bits.below(len)) as usize]
}

#[rustfmt::skip]
const TRANSFORMERS: [&str; 12] = [
    "4.49.0", "4.48.3", "4.47.1", "4.46.3", "4.45.2", "4.44.0", "4.43.4", "4.41.2", "4.40.1",
    "4.38.2", "4.50.0.dev0", "4.30.2",
];
const DIFFUSERS: [&str; 6] = ["0.32.2", "0.31.0", "0.30.3", "0.29.2", "0.27.2", "0.24.0"];
const SENTENCES: [&str; 4] = ["3.4.1", "3.3.1", "2.7.0", "3.0.0"];
const DATASETS: [&str; 6] = ["3.2.0", "3.1.0", "2.21.0", "2.20.0", "2.18.0", "2.14.5"];
const HUB: [&str; 8] = [
    "0.28.1",
    "0.27.1",
    "0.26.5",
    "0.25.2",
    "0.24.6",
    "0.23.4",
    "0.21.4",
    "0.29.0rc2",
];
const PYTHON: [&str; 9] = [
    "3.10.12", "3.11.9", "3.12.3", "3.11.11", "3.9.19", "3.12.8", "3.10.14", "3.8.18", "3.13.1",
];
const TORCH: [&str; 8] = [
    "2.5.1",
    "2.4.0",
    "2.5.1+cu124",
    "2.3.1",
    "2.4.1+cu121",
    "2.2.2",
    "2.1.0+cpu",
    "2.6.0.dev20250104",
];
const PYARROW: [&str; 4] = ["18.1.0", "17.0.0", "16.1.0", "14.0.2"];
#[rustfmt::skip]
const WHOLE: [&str; 20] = [
    "python-requests/2.32.3",
    "curl/8.5.0",
    "Wget/1.21.2",
    "-",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "hf-hub/0.3.2; rust/unknown",
    "text-generation-inference/2.4.1; hf_hub/0.26.5; python/3.11.10",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Safari/605.1.15",
    "aria2/1.36.0",
    "LM Studio/0.3.6",
    "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
    "llama-cpp",
    "git-lfs/3.4.1 (GitHub; linux amd64; go 1.22.2)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "transformers.js/3.2.4; env/browser",
    "Go-http-client/2.0",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "okhttp/4.12.0",
    "node-fetch",
    "Downloader \"nightly\", build 7; name/téléchargeur",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    fn text(agent: Agent) -> String {
        let mut out = Vec::new();
        agent.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn agents_have_their_shares() {
        let mut absent = 0;
        let mut flagged = 0;
        for client in 0..20_000 {
            let text = text(Agent {
                client: mix(client),
                session: client,
                weights: false,
            });
            absent += u32::from(text.is_empty());
            flagged += u32::from(text.contains("; is_ci/true"));
        }
        assert!((450..750).contains(&absent), "{absent}");
        assert!((1_400..2_000).contains(&flagged), "{flagged}");
    }

    #[test]
    fn a_session_changes_nothing_but_its_id() {
        let client = (0..)
            .map(mix)
            .find(|&client| Random(client).below(100) < 34)
            .unwrap();
        let one = text(Agent {
            client,
            session: 1,
            weights: false,
        });
        let two = text(Agent {
            client,
            session: 2,
            weights: false,
        });
        assert_ne!(one, two);
        let without = |text: &str| {
            let (before, after) = text.split_once("session_id/").unwrap();
            assert!(after[..32].bytes().all(|digit| digit.is_ascii_hexdigit()));
            assert_eq!(&after[32..34], "; ");
            format!("{before}{}", &after[32..])
        };
        assert_eq!(without(&one), without(&two));
        let weights = text(Agent {
            client,
            session: 1,
            weights: true,
        });
        assert_eq!(one.replace("file_type/config", "file_type/model"), weights);
    }
}
