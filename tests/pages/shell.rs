//! As much of a shell as the pages use: enough to find each run of the program and its arguments.

/// A run of the program, as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Variables of its own, `NAME=value`.
    pub variables: Vec<String>,
    pub args: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// Something that ends a command: `|`, `&&`, `;`, a bracket, a line's end.
    End,
}

const PROGRAM: &str = "odoo-session-reaper";

/// The runs of the program in shell lines; `cron` lines begin with a schedule and a user.
pub fn invocations(text: &str, cron: bool) -> Vec<Invocation> {
    let text = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in text.lines() {
        let mut line = line.trim_start();
        if cron {
            for _ in 0..6 {
                line = line.trim_start_matches(|c| c != ' ').trim_start();
            }
        }
        let tokens = tokens(line);
        let commands = tokens.split(|token| *token == Token::End);
        found.extend(commands.filter_map(invocation));
    }
    found
}

/// The command of a console block, which also shows what commands print.
pub fn typed(text: &str) -> String {
    let text = text.replace("\\\n", " ");
    let typed = text.lines().filter_map(|line| line.strip_prefix("$ "));
    typed.map(|line| format!("{line}\n")).collect()
}

fn invocation(command: &[Token]) -> Option<Invocation> {
    let words = command.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.as_str()),
        Token::End => None,
    });
    let mut words = words.peekable();
    let mut variables = Vec::new();
    // What may stand before the program that is meant, with its own words.
    loop {
        match words.next()? {
            "sudo" => {
                if words.next_if_eq(&"-u").is_some() {
                    words.next();
                }
            }
            "nice" | "env" => {}
            "ionice" => {
                words.next();
                words.next();
            }
            "docker" => {
                words.next();
                words.next();
            }
            word if word.ends_with(PROGRAM) && !word.contains('=') => break,
            word if word.contains('=') && word.starts_with(|c: char| c.is_ascii_uppercase()) => {
                variables.push(word.to_owned());
            }
            _ => return None,
        }
    }
    Some(Invocation {
        variables,
        args: words.map(str::to_owned).collect(),
    })
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                word.extend(chars.by_ref().take_while(|c| *c != '\''));
            }
            '"' => {
                let word = word.get_or_insert_default();
                word.extend(chars.by_ref().take_while(|c| *c != '"'));
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '#' if word.is_none() => break,
            '>' | '<' => {
                // Goes with its target, and with the number before it.
                if word
                    .as_ref()
                    .is_some_and(|word| word.parse::<u32>().is_err())
                {
                    tokens.extend(word.take().map(Token::Word));
                }
                word = None;
                while chars.next_if(|c| matches!(c, '>' | '&' | ' ')).is_some() {}
                while chars.next_if(|c| !" |;&)".contains(*c)).is_some() {}
            }
            '$' if chars.next_if_eq(&'(').is_some() => {
                word = None;
                tokens.push(Token::End);
            }
            '|' | '&' | ';' | '(' | ')' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::End);
            }
            c if c.is_whitespace() => tokens.extend(word.take().map(Token::Word)),
            c => word.get_or_insert_default().push(c),
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

#[test]
fn finds_each_run_and_its_arguments() {
    let args = |text: &str, cron: bool| -> Vec<String> {
        let found = invocations(text, cron);
        found.iter().map(|found| found.args.join(" ")).collect()
    };
    assert_eq!(
        args("sudo -u odoo odoo-session-reaper reap -n  # it\n", false),
        ["reap -n"]
    );
    assert_eq!(
        args(
            "df -i; sudo odoo-session-reaper audit --list |\n jq x",
            false
        ),
        ["audit --list"]
    );
    assert_eq!(
        args(
            "odoo-session-reaper reap --keep-login 'a* b' \\\n  --list >f",
            false
        ),
        ["reap --keep-login a* b --list"]
    );
    assert_eq!(
        args(
            "1 * * * *  odoo  out=$(nice ionice -c 3 odoo-session-reaper reap 2>&1) || x",
            true
        ),
        ["reap"]
    );
    assert_eq!(
        args(
            "1 * * * *  root  docker exec X odoo-session-reaper reap",
            true
        ),
        ["reap"]
    );
    let none = "sudo systemctl start odoo-session-reaper\njournalctl -u odoo-session-reaper -n 9\n";
    assert!(args(none, false).is_empty());
    let with = invocations(
        "ODOO_SESSION_REAPER_LIST=yes odoo-session-reaper audit",
        false,
    );
    assert_eq!(with[0].variables, ["ODOO_SESSION_REAPER_LIST=yes"]);
}
