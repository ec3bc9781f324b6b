//! The page that says which test holds which rule.

use std::fs;
use std::path::Path;

#[test]
fn the_page_of_rules_names_only_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/development/rules.md")).unwrap();
    let is_rule = |line: &&str| line.starts_with("| ") && !line.starts_with("| rule |");
    let rows: Vec<_> = page.lines().filter(is_rule).collect();
    assert!(rows.len() > 60);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let file = fs::read_to_string(root.join(cells[2].trim_matches('`'))).unwrap();
        for test in cells[3].split(", ") {
            let test = test.trim_matches('`');
            assert!(file.contains(&format!("fn {test}() {{")), "{row}");
        }
    }
}
