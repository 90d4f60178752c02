//! What a store's owner says of repos to what is counted together: groups, and names of before.

use std::collections::BTreeMap;

use super::space::Repos;
use crate::catalog::terms::Allowed;
use crate::query::glob::Glob;
use crate::settings::Settings;

/// Type and name of a repo.
type Named<'a> = (&'a str, &'a str);

/// What repos belong to, and what they are called now.
#[derive(Debug, Default)]
pub(super) struct Family<'a> {
    groups: Vec<(Glob, &'a str)>,
    /// By code: what the repo is called now, and the code that stands for it.
    renamed: BTreeMap<u32, (Named<'a>, u32)>,
}

impl<'a> Family<'a> {
    /// Of the repos that a query knows.
    pub(super) fn of(settings: &'a Settings, repos: &Repos<'a>) -> Self {
        let groups = settings.groups.iter().filter_map(|words| {
            let glob = Glob::compile(&words.repos).ok()?;
            Some((glob, words.group.as_str()))
        });
        let mut family = Self {
            groups: groups.collect(),
            renamed: BTreeMap::new(),
        };
        if settings.aliases.is_empty() {
            return family;
        }
        // Where nothing bears the new name, the first of the old ones stands for it.
        let mut standing: BTreeMap<Named<'a>, u32> = BTreeMap::new();
        for code in 0..repos.len() {
            let (repo_type, name) = repos.stored(code);
            let mut aliases = settings.aliases.iter();
            if let Some(alias) = aliases.find(|alias| alias.old == name) {
                let now = (repo_type, alias.new.as_str());
                let known = repos.code(now.0, now.1);
                let code_now = known.unwrap_or_else(|| *standing.entry(now).or_insert(code));
                family.renamed.insert(code, (now, code_now));
            }
        }
        family
    }

    /// Whether some repo of the query had another name.
    pub(super) fn renames(&self) -> bool {
        !self.renamed.is_empty()
    }

    /// What a repo that had another name is called now.
    pub(super) fn now(&self, code: u32) -> Option<Named<'a>> {
        self.renamed.get(&code).map(|(now, _)| *now)
    }

    /// The code that stands for a repo.
    pub(super) fn standing(&self, code: u32) -> u32 {
        self.renamed
            .get(&code)
            .map_or(code, |(_, standing)| *standing)
    }

    /// Every repo for which another one stands, ascending.
    pub(super) fn all_standing(&self) -> Vec<(u32, u32)> {
        let renamed = self.renamed.iter();
        renamed
            .map(|(code, (_, standing))| (*code, *standing))
            .collect()
    }

    /// Codes of repos that are called so now and were not before.
    pub(super) fn codes_of(&self, now: Named<'_>) -> impl Iterator<Item = u32> {
        let renamed = self.renamed.iter().filter(move |(_, (of, _))| *of == now);
        renamed.map(|(code, _)| *code)
    }

    /// What repos had other names, and how they are called now; of those that a reader may see.
    pub(super) fn notes(&self, repos: &Repos<'_>, allowed: &Allowed) -> Vec<String> {
        let may_see = |(kind, name): Named<'_>| allowed.has(kind, name);
        let renamed = self
            .renamed
            .iter()
            .filter(|(code, (now, _))| may_see(*now) && may_see(repos.stored(**code)));
        let mut notes: Vec<String> = renamed
            .map(|(code, ((_, now), _))| format!("{} counts as {now}", repos.stored(*code).1))
            .collect();
        notes.dedup();
        notes
    }

    /// The group of a repo: that of the first glob that matches its name, or type and name.
    pub(super) fn group(&self, repo_type: &str, name: &str) -> &'a str {
        if name.is_empty() {
            return "";
        }
        let typed = format!("{repo_type}:{name}");
        let mut groups = self.groups.iter();
        let found = groups.find(|(glob, _)| glob.matches(name) || glob.matches(&typed));
        found.map_or("", |(_, group)| group)
    }
}
