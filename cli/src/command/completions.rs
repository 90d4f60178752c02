//! `footfall completions SHELL`: the table of commands to a shell's completions.

use clap::{ArgMatches, Args};
use clap_complete::Shell;

use super::{Command, arguments_of, parsed};
use crate::args::{Global, program};
use crate::exit::Outcome;

pub(super) const COMMAND: Command = Command {
    name: "completions",
    group: "More",
    about: "Write completions for a shell",
    examples: "  footfall completions bash > ~/.local/share/bash-completion/completions/footfall
  footfall completions zsh > ~/.zfunc/_footfall
  footfall completions fish > ~/.config/fish/completions/footfall.fish",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `completions`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// The shell
    shell: Shell,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let mut bytes = Vec::new();
    clap_complete::generate(wishes.shell, &mut program(), "footfall", &mut bytes);
    global.show_text(&String::from_utf8_lossy(&bytes))
}
