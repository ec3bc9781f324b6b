//! As much of Markdown as the pages use.

use std::path::{Path, PathBuf};

/// A page, taken apart.
pub struct Page {
    /// Relative to the repository.
    pub path: PathBuf,
    pub text: String,
    /// Fenced blocks, in their order.
    pub blocks: Vec<Block>,
    /// Everything outside of fenced blocks, by line number.
    pub lines: Vec<(usize, String)>,
}

/// A fenced block.
pub struct Block {
    pub language: String,
    /// The line of its first line.
    pub line: usize,
    pub text: String,
}

impl Page {
    pub fn new(path: &Path, text: &str) -> Page {
        let (mut blocks, mut lines) = (Vec::new(), Vec::new());
        let mut open: Option<(Block, usize)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let bare = line.trim_start();
            match (&mut open, bare.strip_prefix("```")) {
                (None, Some(language)) => {
                    let block = Block {
                        language: language.to_owned(),
                        line: number + 1,
                        text: String::new(),
                    };
                    open = Some((block, line.len() - bare.len()));
                    // A block ends a sentence as an empty line does.
                    lines.push((number, String::new()));
                }
                (Some(_), Some("")) => blocks.extend(open.take().map(|(block, _)| block)),
                (Some((block, indent)), _) => {
                    let indent = (*indent).min(line.len() - bare.len());
                    block.text.push_str(&line[indent..]);
                    block.text.push('\n');
                }
                (None, None) => lines.push((number, line.to_owned())),
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", path.display());
        Page {
            path: path.to_owned(),
            text: text.to_owned(),
            blocks,
            lines,
        }
    }

    /// A part of the page: from this heading to the next one of its level or above.
    pub fn section(&self, heading: &str) -> Page {
        let level = heading.chars().take_while(|c| *c == '#').count();
        let mut inside = false;
        let mut text = String::new();
        let fenced = |number: usize| self.lines.iter().all(|(line, _)| *line != number);
        for (number, line) in (1..).zip(self.text.lines()) {
            let own = line.chars().take_while(|c| *c == '#').count();
            if !fenced(number) && (1..=level).contains(&own) {
                inside = line == heading;
            }
            if inside {
                text.push_str(line);
                text.push('\n');
            }
        }
        assert!(!text.is_empty(), "{}: no {heading}", self.path.display());
        Page::new(&self.path, &text)
    }

    /// The rows of all tables, without heads, each cell trimmed.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let lines: Vec<&str> = self.lines.iter().map(|(_, line)| line.trim()).collect();
        let is_rule = |line: &str| line.starts_with("|--") || line.starts_with("|:-");
        (0..lines.len())
            .filter(|&i| lines[i].starts_with('|') && !is_rule(lines[i]))
            .filter(|&i| !lines.get(i + 1).is_some_and(|next| is_rule(next)))
            .map(|i| cells(lines[i]))
            .collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.lines.iter().filter(|(_, line)| line.starts_with('#'));
        headings.map(|(_, line)| anchor(line)).collect()
    }

    /// The targets of its links, with the line of each.
    pub fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (number, line) in &self.lines {
            let mut rest = line.as_str();
            while let Some((_, after)) = rest.split_once("](") {
                let (target, after) = after.split_once(')').unwrap_or((after, ""));
                links.push((*number, target.to_owned()));
                rest = after;
            }
        }
        links
    }
}

/// The cells of a row; a pipe inside of code must be escaped, as in GitHub's tables.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{0}");
    let inner = row.trim_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// What stands between backticks.
pub fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A sentence with code and links as a reader counts them: one word each, or the words of the link.
pub fn as_read(text: &str) -> String {
    let without_code: String = text
        .split('`')
        .enumerate()
        .map(|(i, part)| if i % 2 == 1 { "code" } else { part })
        .collect();
    let mut read = String::new();
    let mut rest = without_code.as_str();
    while let Some((before, after)) = rest.split_once("](") {
        read.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    read.push_str(rest);
    read.replace(['[', ']', '*'], "")
}
