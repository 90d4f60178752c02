//! Types and names of repos to the bytes of a section, and back.
//!
//! # On disk
//!
//! `format-spec/hub.md`, section "Names".
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::io::Read;

use super::sequence::{push_u32s, read_u32s};
use super::table::HubRepo;
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter};

/// Text as it is.
const TEXT_PLAIN: u8 = 1;
/// Text as one zstd frame.
const TEXT_ZSTD: u8 = 2;
/// The most that compressed text may grow: a few damaged bytes must not ask for much memory. Text that
/// compresses better is stored plain.
const GROWTH_MAX: usize = 256;
const ZSTD_LEVEL: i32 = 9;

/// Appends types and names.
pub(super) fn push_names(repos: &[HubRepo], out: &mut Vec<u8>) -> Result<()> {
    let mut types: Vec<&str> = Vec::new();
    let mut codes = Vec::with_capacity(repos.len());
    let mut lens = Vec::with_capacity(repos.len());
    let mut text = Vec::new();
    for repo in repos {
        let known = types.iter().position(|name| *name == repo.repo_type);
        let code = known.unwrap_or(types.len());
        if known.is_none() {
            types.push(&repo.repo_type);
        }
        codes.push(u32::try_from(code).map_err(|_| Error::limit("too many repo types"))?);
        lens.push(u32::try_from(repo.repo.len()).map_err(|_| Error::limit("too long a name"))?);
        text.extend_from_slice(repo.repo.as_bytes());
    }
    let mut writer = ByteWriter::new(out);
    writer.varint(types.len() as u64);
    for name in types {
        writer.varint(name.len() as u64).bytes(name.as_bytes());
    }
    push_u32s(&codes, out)?;
    push_u32s(&lens, out)?;
    let packed = zstd::bulk::compress(&text, ZSTD_LEVEL)
        .map_err(|error| Error::limit(format!("cannot compress repo names: {error}")))?;
    let is_packed = packed.len() < text.len() && text.len() <= packed.len() * GROWTH_MAX;
    let (form, bytes) = if is_packed {
        (TEXT_ZSTD, &packed)
    } else {
        (TEXT_PLAIN, &text)
    };
    ByteWriter::new(out).u8(form).bytes(bytes);
    Ok(())
}

/// Types and names of `repo_count` repos, with their totals 0.
pub(super) fn read_names(section: &[u8], repo_count: usize) -> Result<Vec<HubRepo>> {
    let mut reader = ByteReader::new(section);
    let type_count = reader.varint_len(repo_count)?;
    let mut types = Vec::new();
    for _ in 0..type_count {
        let len = reader.varint_len(reader.remaining())?;
        types.push(to_text(reader.bytes(len)?)?);
    }
    let codes = read_u32s(&mut reader, repo_count)?;
    let lens = read_u32s(&mut reader, repo_count)?;
    let text_len = lens.iter().map(|len| u64::from(*len)).sum::<u64>();
    let form = reader.u8()?;
    let text = read_text(form, reader.take_rest(), text_len)?;
    let mut names = ByteReader::new(&text);
    codes
        .into_iter()
        .zip(lens)
        .map(|(code, len)| {
            let repo_type = *types
                .get(code as usize)
                .ok_or_else(|| Error::corrupt(format!("repo type {code} of {type_count}")))?;
            let repo = to_text(names.bytes(len as usize)?)?.to_owned();
            Ok(HubRepo {
                repo_type: repo_type.to_owned(),
                repo,
                total: 0,
            })
        })
        .collect()
}

fn read_text(form: u8, bytes: &[u8], text_len: u64) -> Result<Vec<u8>> {
    let text = match form {
        TEXT_PLAIN => bytes.to_vec(),
        TEXT_ZSTD => {
            if text_len > (bytes.len() as u64).saturating_mul(GROWTH_MAX as u64) {
                return Err(Error::corrupt(format!(
                    "{text_len} bytes of names in {}",
                    bytes.len()
                )));
            }
            let mut text = Vec::new();
            zstd::Decoder::with_buffer(bytes)
                .and_then(|decoder| decoder.take(text_len + 1).read_to_end(&mut text))
                .map_err(|error| {
                    Error::corrupt(format!("repo names do not decompress: {error}"))
                })?;
            text
        }
        _ => return Err(Error::unsupported(format!("repo names in form {form}"))),
    };
    if text.len() as u64 != text_len {
        let found = text.len();
        return Err(Error::corrupt(format!(
            "{found} bytes of names, expected {text_len}"
        )));
    }
    Ok(text)
}

fn to_text(bytes: &[u8]) -> Result<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.contains('\0') => Ok(text),
        _ => Err(Error::corrupt(
            "a repo name or type is empty, not UTF-8 or holds a NUL",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repos(names: &[(&str, &str)]) -> Vec<HubRepo> {
        let repo = |(repo_type, repo): &(&str, &str)| HubRepo {
            repo_type: (*repo_type).to_owned(),
            repo: (*repo).to_owned(),
            total: 0,
        };
        names.iter().map(repo).collect()
    }

    #[test]
    fn names_come_back() {
        let many: Vec<_> = (0..500)
            .map(|number| format!("acme/model-{number}"))
            .collect();
        let many: Vec<_> = many.iter().map(|name| ("model", name.as_str())).collect();
        let long = "a".repeat(1 << 20);
        for (names, form) in [
            (vec![], TEXT_PLAIN),
            (
                vec![("space", "a/é"), ("model", "b"), ("space", "b")],
                TEXT_PLAIN,
            ),
            (many, TEXT_ZSTD),
            (vec![("model", long.as_str())], TEXT_PLAIN),
        ] {
            let repos = repos(&names);
            let mut section = Vec::new();
            push_names(&repos, &mut section).unwrap();
            assert_eq!(read_names(&section, repos.len()).unwrap(), repos);
            let text_len: usize = names.iter().map(|(_, name)| name.len()).sum();
            let is_plain = section.len() > text_len;
            assert_eq!(is_plain, form == TEXT_PLAIN);
            for len in 0..section.len().min(2000) {
                assert!(read_names(&section[..len], repos.len()).is_err());
            }
            assert!(read_names(&section, repos.len() + 1).is_err());
        }
    }
}
