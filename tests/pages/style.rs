//! How long pages and sentences are, and where links lead.

use std::path::{Component, Path, PathBuf};

use crate::markdown::{Page, as_read};
use crate::{help, pages};

/// Words in a sentence. More, and somebody who reads English as a second language reads it twice.
const LONGEST_SENTENCE: usize = 25;

#[test]
fn pages_are_short() {
    for page in pages() {
        let path = page.path.display();
        let most = if page.path == Path::new("README.md") {
            assert!(
                page.text.len() <= 10_000,
                "{path}: {} bytes",
                page.text.len()
            );
            150
        } else {
            130
        };
        let lines = page.text.lines().count();
        assert!(lines <= most, "{path} has {lines} lines, more than {most}");
    }
}

#[test]
fn sentences_are_short() {
    let mut long = Vec::new();
    for page in pages() {
        for (line, sentence) in sentences(&page) {
            let words = words(&sentence);
            if words > LONGEST_SENTENCE {
                let path = page.path.display();
                long.push(format!("{path}:{line}: {words} words: {sentence}"));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn sentences_of_the_help_are_short() {
    let mut long = Vec::new();
    for command in ["", "audit", "reap", "who", "revoke", "doctor", "demo"] {
        let mut text = String::new();
        for line in help(command).lines() {
            let bare = line.trim_start();
            // An option, its values, and a row of a list begin something new; what goes on is indented by more.
            if bare.starts_with(['-', '[']) || (1..8).contains(&(line.len() - bare.len())) {
                text.push('\n');
            }
            text.push_str(bare);
            text.push('\n');
        }
        let page = Page::new(Path::new("help"), &text);
        let sentences = sentences(&page).into_iter().map(|(_, sentence)| sentence);
        long.extend(sentences.filter(|sentence| words(sentence) > LONGEST_SENTENCE));
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// A dash or a number sign between spaces is no word.
fn words(sentence: &str) -> usize {
    let words = sentence.split_whitespace();
    words
        .filter(|word| word.contains(|c: char| c.is_alphanumeric()))
        .count()
}

#[test]
fn a_long_sentence_is_noticed() {
    let word = |count: usize| vec!["word"; count].join(" ");
    let longest = |text: &str| {
        let page = Page::new(Path::new("x.md"), text);
        let counts = sentences(&page)
            .into_iter()
            .map(|(_, sentence)| sentence.split_whitespace().count());
        counts.max().unwrap_or(0)
    };
    assert_eq!(longest(&format!("{}.\n{}.\n", word(26), word(3))), 26);
    assert_eq!(longest(&format!("{}\n{}.\n", word(10), word(16))), 26);
    assert_eq!(longest(&format!("- {}\n- {}\n", word(10), word(16))), 16);
    assert_eq!(longest("Run `a b c d` and [see that](there/it.md#x).\n"), 5);
    assert_eq!(longest(&format!("```text\n{}\n```\n", word(40))), 0);
    assert_eq!(longest(&format!("| {} |\n", word(40))), 0);
}

/// The sentences outside of code, tables and headings. Lines of a paragraph or of a list's element belong together.
fn sentences(page: &Page) -> Vec<(usize, String)> {
    let mut paragraphs: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in &page.lines {
        let text = line.trim();
        if text.is_empty() || text.starts_with(['|', '#']) {
            open = false;
            continue;
        }
        let numbered = text
            .split_once(". ")
            .filter(|(number, _)| number.parse::<u32>().is_ok());
        let element = text.strip_prefix("- ").or(numbered.map(|(_, text)| text));
        match (element, paragraphs.last_mut()) {
            (None, Some((_, paragraph))) if open => {
                paragraph.push(' ');
                paragraph.push_str(text);
            }
            _ => paragraphs.push((*number, element.unwrap_or(text).to_owned())),
        }
        open = true;
    }
    let mut sentences = Vec::new();
    for (line, paragraph) in paragraphs {
        let read = as_read(&paragraph);
        let mut sentence = Vec::new();
        for word in read.split_whitespace() {
            sentence.push(word);
            if word.trim_end_matches(['"', ')']).ends_with(['.', '!', '?']) {
                sentences.push((line, sentence.join(" ")));
                sentence.clear();
            }
        }
        if !sentence.is_empty() {
            sentences.push((line, sentence.join(" ")));
        }
    }
    sentences
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut dead = Vec::new();
    for page in &pages {
        for (line, link) in page.links() {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                page.path.clone()
            } else {
                normal(&page.path.parent().unwrap().join(path))
            };
            let known = pages.iter().find(|page| page.path == target);
            let there = root.join(&target).exists();
            let anchored = anchor.is_empty()
                || known.is_some_and(|page| page.anchors().iter().any(|own| own == anchor));
            if !there || !anchored {
                dead.push(format!("{}:{line}: {link}", page.path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let pages = pages();
    let readme = &pages[0];
    for page in &pages[1..] {
        let path = page.path.to_str().unwrap();
        let linked = readme
            .links()
            .iter()
            .any(|(_, link)| link.split('#').next() == Some(path));
        assert!(linked, "README.md does not name {path}");
    }
}

/// The path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}
