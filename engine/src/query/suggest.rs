//! A name that does not exist to the nearest one that does.
//!
//! Near is a small edit distance (insert, delete, replace, swap neighbours; upper and lower case are
//! alike), over the whole name or, where only the wrong name has no `/`, over what follows the last
//! one. Without such a name the shortest one that contains the wrong name is taken.
//!
//! # Limits
//!
//! [`NAME_CHARS_MAX`] = 128: longer names are not compared, so one comparison costs at most a few
//! hundred steps for each edit allowed.

/// Longest name that is compared, in characters.
pub const NAME_CHARS_MAX: usize = 128;

/// The nearest of `names`; the first of several that are equally near.
pub fn nearest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(found);
    if wanted.is_empty() || wanted.len() > NAME_CHARS_MAX {
        return None;
    }
    let mut edits_max = (wanted.len() / 3).clamp(1, 3);
    let mut best: Option<&str> = None;
    let mut containing: Option<(usize, &str)> = None;
    let lower: String = wanted.iter().collect();
    for name in names {
        if name == found {
            continue;
        }
        let has_found = best.is_some();
        let near = edits(&wanted, name, edits_max);
        if let Some(edits) = near.filter(|edits| !has_found || *edits < edits_max) {
            edits_max = edits;
            best = Some(name);
        } else if wanted.len() > 2
            && containing.is_none_or(|(length, _)| name.len() < length)
            && name.to_lowercase().contains(&lower)
        {
            containing = Some((name.len(), name));
        }
    }
    best.or(containing.map(|(_, name)| name))
}

/// ``did you mean `name`?`` of the nearest name.
pub fn did_you_mean<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(found, names).map(|name| format!("did you mean {name}?"))
}

/// Edits between two names, case aside; `None` when there are more than `edits_max`.
#[must_use]
pub fn distance(a: &str, b: &str, edits_max: usize) -> Option<usize> {
    bounded(&fold(a), &fold(b), edits_max)
}

fn edits(wanted: &[char], name: &str, edits_max: usize) -> Option<usize> {
    let whole = fold(name);
    let by_whole = bounded(wanted, &whole, edits_max);
    if wanted.contains(&'/') {
        return by_whole;
    }
    let slash = whole.iter().rposition(|c| *c == '/');
    let tail = slash.and_then(|slash| bounded(wanted, &whole[slash + 1..], edits_max));
    by_whole.into_iter().chain(tail).min()
}

fn fold(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Optimal string alignment distance, row by row, given up as soon as a row exceeds the bound.
fn bounded(a: &[char], b: &[char], edits_max: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > edits_max || a.len().max(b.len()) > NAME_CHARS_MAX {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = previous[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(previous[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        // A swap reaches back two rows, so both must be beyond the bound.
        let least = row.iter().chain(&previous).min().copied().unwrap_or(0);
        if least > edits_max {
            return None;
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous.last().copied().filter(|edits| *edits <= edits_max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_name_wins() {
        let metrics = ["requests", "downloads", "downloaders", "users"];
        for (found, want) in [
            ("downlods", Some("downloads")),
            ("Downloaders", Some("downloaders")),
            ("dowloaders", Some("downloaders")),
            ("usres", Some("users")),
            ("load", Some("downloads")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, metrics), want, "{found}");
        }
    }

    #[test]
    fn a_repo_is_found_without_its_organisation() {
        let repos = ["acme/llama-7b", "acme/llama-13b", "other/bert"];
        assert_eq!(nearest("lama-7b", repos), Some("acme/llama-7b"));
        assert_eq!(nearest("acme/lama-13b", repos), Some("acme/llama-13b"));
        assert_eq!(nearest("llama", repos), Some("acme/llama-7b"));
    }

    /// The textbook recursion.
    fn naive(a: &[char], b: &[char]) -> usize {
        let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_last(), b.split_last()) else {
            return a.len().max(b.len());
        };
        let mut least = naive(a_rest, b) + 1;
        least = least.min(naive(a, b_rest) + 1);
        least = least.min(naive(a_rest, b_rest) + usize::from(x != y));
        if let (Some((w, a_rest)), Some((z, b_rest))) = (a_rest.split_last(), b_rest.split_last())
            && x == z
            && y == w
        {
            least = least.min(naive(a_rest, b_rest) + 1);
        }
        least
    }

    proptest! {
        #[test]
        fn the_distance_is_the_textbooks(a in "[abc]{0,6}", b in "[abc]{0,6}", most in 0_usize..5) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let want = naive(&chars(&a), &chars(&b));
            prop_assert_eq!(distance(&a, &b, most), (want <= most).then_some(want));
        }
    }
}
