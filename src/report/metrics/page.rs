//! How a textfile is written.

use std::fmt::{Display, Write as _};

/// The name of a label, and its value.
pub type Label<'a> = (&'static str, &'a str);

/// The textfile as it is being written.
pub struct Page<'a> {
    pub text: String,
    /// A label of every series.
    pub store: &'a str,
    /// Another one, unless it is empty.
    pub command: &'static str,
}

impl Page<'_> {
    /// A family of series, which is left out without any. All are gauges but those that only ever grow, or begin again
    /// at 0; these are called a total.
    pub fn family<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'l>; N], impl Display)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        let kind = match name.ends_with("_total") {
            true => "counter",
            false => "gauge",
        };
        if samples.peek().is_some() {
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        for (labels, value) in samples {
            let labels = [&[("command", self.command)], &labels[..]].concat();
            let _ = writeln!(self.text, "{} {value}", series(name, self.store, &labels));
        }
    }

    /// A family of one series.
    pub fn one(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, help, [([], value)]);
    }
}

/// A series as a textfile names it. An empty label is the same as none to Prometheus, and is left out.
pub fn series(name: &str, store: &str, labels: &[Label<'_>]) -> String {
    let labels: Vec<String> = [("store", store)]
        .iter()
        .chain(labels)
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
        .collect();
    format!("{name}{{{}}}", labels.join(","))
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
