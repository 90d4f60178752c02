//! A rank of popularity to a repo: its type, its name, the day it appears, its successor.
//!
//! Popularity is Zipf's: rank r weighs 1 / (r + 2). Every eighth repo from rank 2 has a successor,
//! the next rank, that appears in the course of the plan; one name exists in two types.

use crate::plan::Plan;
use crate::random::{Random, Stream, Weighted, key};
use std::collections::HashSet;

/// One repo.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repo {
    /// `model`, `dataset` or `space`.
    pub repo_type: &'static str,
    /// `org/name`.
    pub name: String,
    /// Day of the plan (from 0) from which it is requested.
    pub released: u32,
}

/// All repos, by rank.
#[derive(Clone, Debug)]
pub(crate) struct Repos {
    list: Vec<Repo>,
    weights: Weighted,
}

/// One rank in so many is a first version, and the next one its successor.
const FAMILY_EVERY: u32 = 8;
/// The first rank that is a first version.
const FAMILY_FIRST: u32 = 2;

impl Repos {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut list: Vec<Repo> = Vec::with_capacity(plan.repos as usize);
        let mut names = HashSet::new();
        for rank in 0..plan.repos {
            let repo = match list.last() {
                Some(first) if is_successor(rank) => Repo {
                    repo_type: first.repo_type,
                    name: format!("{}-v2", first.name),
                    released: plan.days * (15 + rank % 60) / 100,
                },
                _ => named(plan, rank, &names),
            };
            names.insert(repo.name.clone());
            list.push(repo);
        }
        share_a_name(&mut list);
        let weights = (0..u64::from(plan.repos)).map(|rank| (1 << 40) / (rank + 2));
        Self {
            list,
            weights: Weighted::new(weights),
        }
    }

    pub(crate) fn list(&self) -> &[Repo] {
        &self.list
    }

    pub(crate) fn get(&self, repo: u32) -> &Repo {
        &self.list[repo as usize]
    }

    pub(crate) fn count(&self) -> u32 {
        self.list.len() as u32
    }

    /// The repo that 64 random bits stand for.
    pub(crate) fn pick(&self, bits: u64) -> u32 {
        self.weights.pick(bits) as u32
    }

    /// `repo`, or an older one where it has not been released on `day` of the plan.
    pub(crate) fn open_on(&self, mut repo: u32, day: u32) -> u32 {
        while self.get(repo).released > day {
            repo = if is_successor(repo) {
                repo - 1
            } else {
                repo / 2
            };
        }
        repo
    }

    /// A first version near `repo`.
    pub(crate) fn first_version(&self, repo: u32) -> u32 {
        let first = repo - repo % FAMILY_EVERY + FAMILY_FIRST;
        if first + 1 < self.count() {
            first
        } else {
            repo
        }
    }

    /// What came after `repo`, or itself.
    pub(crate) fn successor(&self, repo: u32) -> u32 {
        if is_successor(repo + 1) && repo + 1 < self.count() {
            repo + 1
        } else {
            repo
        }
    }
}

fn is_successor(rank: u32) -> bool {
    rank % FAMILY_EVERY == FAMILY_FIRST + 1
}

/// Gives a model and a dataset the same name.
fn share_a_name(list: &mut [Repo]) {
    let (model, dataset) = if list.len() > 12 { (4, 12) } else { (0, 1) };
    if list.len() < 2 {
        return;
    }
    list[model].repo_type = "model";
    list[dataset].repo_type = "dataset";
    list[dataset].name = list[model].name.clone();
}

/// A repo that is no successor, with a name that is not in `taken`.
fn named(plan: &Plan, rank: u32, taken: &HashSet<String>) -> Repo {
    let mut random = Random(key(plan.seed, Stream::Repo, u64::from(rank)));
    let repo_type = match random.below(100) {
        _ if rank == 0 => "model",
        0..72 => "model",
        72..95 => "dataset",
        _ => "space",
    };
    let org = if rank == 0 {
        ORGS[0]
    } else {
        one_of(&mut random, &ORGS)
    };
    let mut name = match repo_type {
        _ if rank == 0 => format!("{org}/llama-7b"),
        "model" => {
            let (base, size) = (one_of(&mut random, &MODELS), one_of(&mut random, &SIZES));
            format!("{org}/{base}-{size}{}", one_of(&mut random, &VARIANTS))
        }
        "dataset" => {
            let (base, part) = (one_of(&mut random, &DATASETS), one_of(&mut random, &PARTS));
            format!("{org}/{base}{part}")
        }
        _ => {
            let (base, what) = (one_of(&mut random, &MODELS), one_of(&mut random, &SPACES));
            format!("{org}/{base}-{what}")
        }
    };
    if taken.contains(&name) {
        name = format!("{name}-{rank}");
    }
    let has_successor = rank % FAMILY_EVERY == FAMILY_FIRST;
    let late = rank >= 8 && !has_successor && random.below(6) == 0;
    let released = if late {
        random.below(plan.days * 4 / 5)
    } else {
        0
    };
    Repo {
        repo_type,
        name,
        released,
    }
}

fn one_of<'a>(random: &mut Random, list: &[&'a str]) -> &'a str {
    list[random.below(list.len() as u32) as usize]
}

/// The first ones are listed several times: they own more repos.
const ORGS: [&str; 12] = [
    "acme",
    "acme",
    "acme",
    "acme",
    "northwind-ai",
    "northwind-ai",
    "northwind-ai",
    "Globex",
    "Globex",
    "initech_research",
    "umbrella-labs",
    "hooli",
];
#[rustfmt::skip]
const MODELS: [&str; 28] = [
    "llama", "Llama-3.1", "mistral", "bert", "roberta", "whisper", "clip", "t5", "qwen2.5",
    "gemma", "phi", "falcon", "diffusion", "wav2vec2", "vit", "bge", "e5", "yolo", "sam", "gpt",
    "opt", "bloom", "deberta_v3", "mamba", "starcoder", "siglip", "musicgen", "nllb",
];
#[rustfmt::skip]
const SIZES: [&str; 14] = [
    "7b", "13b", "70b", "8B", "1.5b", "base", "large", "small", "tiny", "xl", "xxl", "3b",
    "large-v3", "mini",
];
const VARIANTS: [&str; 8] = ["", "", "", "-instruct", "-chat", "-GGUF", "-awq", "-int8"];
#[rustfmt::skip]
const DATASETS: [&str; 16] = [
    "squad", "wiki", "common_voice", "reviews", "instructions", "images", "code-search", "math",
    "dialogs", "web-text", "ocr", "street-views", "benchmark", "preferences", "proteins", "news",
];
const PARTS: [&str; 8] = [
    "",
    "-en",
    "-multilingual",
    "-2024",
    "-2025",
    "_small",
    "-10k",
    "-fr",
];
const SPACES: [&str; 4] = ["demo", "playground", "leaderboard", "chat"];

#[cfg(test)]
mod tests {
    use super::*;

    fn repos(count: u32) -> Repos {
        Repos::new(&Plan {
            repos: count,
            ..Plan::default()
        })
    }

    #[test]
    fn names_are_unique_but_for_one() {
        for count in [2, 3, 12, 13, 2_000] {
            let repos = repos(count);
            let pairs: HashSet<_> = repos
                .list()
                .iter()
                .map(|r| (r.repo_type, &r.name))
                .collect();
            let names: HashSet<_> = repos.list().iter().map(|repo| &repo.name).collect();
            assert_eq!(
                (pairs.len(), names.len()),
                (count as usize, count as usize - 1),
                "{count}"
            );
        }
        assert_eq!(repos(1).list().len(), 1);
    }

    #[test]
    fn the_first_repo_is_the_largest_and_named_in_the_examples() {
        let repos = repos(2_000);
        assert_eq!(repos.get(0).name, "acme/llama-7b");
        assert_eq!(repos.get(0).repo_type, "model");
        let mut random = Random(3);
        let first = (0..100_000)
            .filter(|_| repos.pick(random.next()) == 0)
            .count();
        assert!((6_500..7_500).contains(&first), "{first}");
    }

    #[test]
    fn nothing_is_requested_before_its_release() {
        let repos = repos(200);
        let late = (0..200)
            .filter(|&repo| repos.get(repo).released > 0)
            .count();
        assert!(late > 30, "{late}");
        for day in [0, 50, 364] {
            for repo in 0..200 {
                assert!(repos.get(repos.open_on(repo, day)).released <= day);
            }
        }
    }

    #[test]
    fn a_first_version_has_a_successor() {
        let repos = repos(200);
        let first = repos.first_version(17);
        let next = repos.successor(first);
        assert_eq!(
            repos.get(next).name,
            format!("{}-v2", repos.get(first).name)
        );
        assert_eq!(repos.successor(next), next);
        assert_eq!(repos.successor(199), 199);
    }
}
