//! `tongban man`: a manual page for every command, `tongban-token-create.1` and so on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clap_mangen::Man;
use serde::Serialize;
use utoipa::ToSchema;

use crate::command_line::{examples_of, tree};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{FileError, replace};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 写到哪个目录 (folder to write to)
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Serialize, ToSchema)]
struct Written {
    pages: Vec<String>,
    #[serde(skip)]
    folder: PathBuf,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Written>("tongban man");

impl Answer for Written {
    const SCHEMA: &'static str = "tongban.man/v1";
    const ROWS: &'static str = "pages";

    fn to_text(&self, reader: Reader) -> String {
        let count = self.pages.len();
        let page = self.folder.join("tongban.1");
        let said = reader.say(format!("{count} 页"), format!("{count} pages"));
        let next = reader.next(&format!("man {}", page.display()));
        format!("{said}\n{next}")
    }
}

/// Writes them.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let folder = &arguments.dir;
    fs::create_dir_all(folder).map_err(FileError::at(folder))?;
    let mut pages = Vec::new();
    write_pages(&tree(), "", folder, &mut pages)?;
    output.answer(&Written {
        pages,
        folder: folder.clone(),
    });
    Ok(Exit::Yes)
}

fn write_pages(
    command: &clap::Command,
    path: &str,
    folder: &Path,
    pages: &mut Vec<String>,
) -> Result<(), Failure> {
    let name = format!("tongban {path}").trim_end().replace(' ', "-");
    let file = format!("{name}.1");
    let page = page(command, &name, path).context("writing a page into memory")?;
    replace(&folder.join(&file), &page, 0o644)?;
    pages.push(file);
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let path = format!("{path} {}", below.get_name());
        write_pages(below, path.trim_start(), folder, pages)?;
    }
    Ok(())
}

fn page(command: &clap::Command, name: &str, path: &str) -> std::io::Result<Vec<u8>> {
    // Examples and exit codes have sections of their own below.
    let command = command
        .clone()
        .name(name.to_owned())
        .display_name(name.to_owned())
        .after_help("");
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section("1")
        .date(DATE)
        .source(concat!("tongban ", env!("CARGO_PKG_VERSION")))
        .manual("Tongban 通办");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        page.extend(subcommands(&command, name).into_bytes());
    }
    page.extend(examples(path).into_bytes());
    page.extend(exit_codes().into_bytes());
    Ok(tidied(page))
}

/// Two breaks around an empty line are one blank line, as linters of pages have it.
fn tidied(page: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(page).expect("pages are made of texts");
    text.replace("\n.br\n\n.br\n", "\n.sp\n").into_bytes()
}

/// Day of the texts, so that the same program always writes the same pages.
const DATE: &str = "2026-11-27";

fn subcommands(command: &clap::Command, name: &str) -> String {
    let mut text = ".SH SUBCOMMANDS\n".to_owned();
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let about = below
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let page = format!("{name}-{}", below.get_name());
        text.extend([".TP\n", &escaped(&page), "(1)\n", &escaped(&about), "\n"]);
    }
    text
}

fn examples(path: &str) -> String {
    let mut text = String::new();
    for example in examples_of(path) {
        if text.is_empty() {
            text += ".SH EXAMPLES\n";
        }
        text.push_str(&paragraph(example.line, example.zh, example.en));
    }
    text
}

fn exit_codes() -> String {
    let mut text = ".SH \"EXIT STATUS\"\n".to_owned();
    for exit in Exit::ALL {
        let number = exit.number().to_string();
        text.push_str(&paragraph(&number, exit.zh(), exit.en()));
    }
    text
}

fn paragraph(head: &str, zh: &str, en: &str) -> String {
    let (head, zh, en) = (escaped(head), escaped(zh), escaped(en));
    format!(".TP\n\\fB{head}\\fR\n{zh} ({en})\n")
}

/// As roff reads it: no request begins a line, a hyphen is one.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
