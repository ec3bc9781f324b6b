#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

/// What `[options] data_dir = <value>` means to somebody at home in `/home/odoo`.
fn data_dir(value: &str) -> Result<Option<PathBuf>, String> {
    in_file(&format!("[options]\ndata_dir = {value}\n"))
}

fn in_file(text: &str) -> Result<Option<PathBuf>, String> {
    let conf = OdooConf::parse(text.as_bytes()).unwrap();
    conf.data_dir(Some(Path::new("/home/odoo/")), environment)
        .map(|found| found.map(|(dir, _)| dir))
        .map_err(|error| error.to_string())
}

fn environment(name: &str) -> Option<OsString> {
    match name {
        "DATA" => Some("/srv/data".into()),
        "SELF" => Some("$DATA".into()),
        "TILDE" => Some("~".into()),
        "EMPTY" => Some("".into()),
        "A b" => Some("/spaced".into()),
        "BYTES" => Some(OsString::from_vec(b"/\xff".to_vec())),
        "" => Some("/never".into()),
        _ => None,
    }
}

fn is(path: &str) -> Result<Option<PathBuf>, String> {
    Ok(Some(path.into()))
}

#[test]
fn takes_an_absolute_path_as_it_is() {
    assert_eq!(data_dir("/var/lib/odoo"), is("/var/lib/odoo"));
    assert_eq!(data_dir("/srv/x ; y"), is("/srv/x ; y"));
    assert_eq!(in_file("[DEFAULT]\ndata_dir=/d\n[options]\n"), is("/d"));
}

#[test]
fn is_unset_where_odoo_writes_nothing_into_it() {
    for nothing in ["", "False", "false", "None"] {
        assert_eq!(data_dir(nothing), Ok(None), "{nothing:?}");
    }
    assert_eq!(in_file("[options]\n"), Ok(None));
    assert_eq!(in_file("[other]\ndata_dir = /x\n"), Ok(None));
    assert_eq!(in_file("[DEFAULT]\ndata_dir = /x\n"), Ok(None));
}

#[test]
fn fills_in_variables_once_and_leaves_unknown_ones() {
    assert_eq!(data_dir("$DATA/a"), is("/srv/data/a"));
    assert_eq!(data_dir("/x${DATA}y"), is("/x/srv/datay"));
    assert_eq!(data_dir("/x/$DATAy/${NO}/$"), is("/x/$DATAy/${NO}/$"));
    assert_eq!(data_dir("/x/$$DATA"), is("/x/$/srv/data"));
    assert_eq!(data_dir("/x/${DATA/$é${}"), is("/x/${DATA/$é${}"));
    assert_eq!(data_dir("${A b}"), is("/spaced"));
    assert_eq!(data_dir("/$SELF"), is("/$DATA"));
    let bytes = OsString::from_vec(b"/\xff/a".to_vec());
    assert_eq!(data_dir("$BYTES/a"), Ok(Some(bytes.into())));
}

#[test]
fn fills_in_the_home_after_the_variables() {
    assert_eq!(data_dir("~"), is("/home/odoo"));
    assert_eq!(data_dir("~/Odoo"), is("/home/odoo/Odoo"));
    assert_eq!(data_dir("$TILDE/Odoo"), is("/home/odoo/Odoo"));
    assert_eq!(data_dir("/a/~/b"), is("/a/~/b"));
    let conf = OdooConf::parse(b"[options]\ndata_dir = ~\n").unwrap();
    let of_root = conf.data_dir(Some(Path::new("/")), environment);
    assert_eq!(of_root.unwrap().unwrap().0, Path::new("/"));
}

#[test]
fn tidies_by_spelling_as_odoo_does() {
    assert_eq!(data_dir("/srv//link/../odoo/./"), is("/srv/odoo"));
    assert_eq!(data_dir("/../x"), is("/x"));
}

#[test]
fn never_guesses_what_only_odoo_can_know() {
    for (value, wrong) in [
        ("odoo", "is a relative path"),
        ("$NO/odoo", "is a relative path"),
        ("$EMPTY", "is a relative path"),
        ("~bob/odoo", "begins with ~ and a user's name"),
        ("/a\n b = c", "goes on in the next line"),
    ] {
        let says = data_dir(value).unwrap_err();
        let begins = format!("line 2: data_dir {wrong}");
        assert!(says.starts_with(&begins), "{value:?}: {says}");
    }

    let conf = OdooConf::parse(b"[options]\n\ndata_dir = ~/x\n").unwrap();
    let error = conf.data_dir(None, environment).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: data_dir begins with ~, but no home directory is known: write the path out"
    );
}

#[test]
fn refuses_a_header_that_python_versions_read_differently() {
    for header in ["[options] ; see [1]", "[options]]", "[DEFAULT] []", "[]x]"] {
        let text = format!("{header}\ndata_dir = /x\n");
        let says = in_file(&text).unwrap_err();
        assert!(
            says.starts_with("line 1: this header has more than one ]"),
            "{header}: {says}"
        );
    }
    assert_eq!(in_file("[queue]job]\n[options]\ndata_dir = /x\n"), is("/x"));
}
