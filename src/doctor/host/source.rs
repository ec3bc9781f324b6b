//! The source that an Odoo runs: where Python finds it, which version it is, and which switches it knows.

use std::path::{Path, PathBuf};

use super::inside::Inside;

/// A version of Odoo: `(17, 0)`; `(18, 2)` is `saas~18.2`.
pub type Version = (u32, u32);

/// The switches of its own garbage collection: of 14 and 15, and of newer builds from 16 on.
pub const OLD_SWITCH: &str = "ODOO_DISABLE_SESSION_GC";
pub const NEW_SWITCH: &str = "ODOO_SKIP_GC_SESSIONS";

/// The most files of a `site-packages` that are followed elsewhere; a stranger could make any number.
const MOST_LINKS: usize = 256;

/// The most places, and files of `odoo/http`, that are looked at for the same reason.
const MOST_PLACES: usize = 512;
const MOST_FILES: usize = 64;

/// The source of a running Odoo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub version: Version,
    /// The switch of this version stands in its text.
    pub knows_switch: bool,
    /// When one of the files that tell so was written last, also if it was unpacked with an old date.
    pub changed: i64,
}

/// Finds the source. Python looks first in `dirs`: that of the script, or the working one for `-m`, and `$PYTHONPATH`.
/// `interpreters` are what it was called by, and what it really is.
pub fn find(inside: &Inside, dirs: Vec<PathBuf>, interpreters: &[PathBuf]) -> Option<Source> {
    let packages = packages(inside, dirs, interpreters);
    let mut packages = packages.iter().take(MOST_PLACES);
    packages.find_map(|package| read(inside, package))
}

/// Where the package `odoo` can be, in Python's order.
fn packages(inside: &Inside, mut dirs: Vec<PathBuf>, interpreters: &[PathBuf]) -> Vec<PathBuf> {
    let real = interpreters.last().and_then(|path| path.file_name());
    let real = real.unwrap_or_default().to_string_lossy();
    // A virtual environment is where the script or the interpreter lies in its `bin`.
    let bins = interpreters.iter().filter_map(|path| path.parent());
    let prefixes = bins.chain(dirs.first().map(PathBuf::as_path));
    // Debian's Python looks into /usr/local first.
    let system = [Path::new("/usr/local"), Path::new("/usr")];
    let own = prefixes
        .filter_map(Path::parent)
        .filter(|prefix| !system.contains(prefix));
    let libs = own
        .chain(system)
        .flat_map(|prefix| inside.list(&prefix.join("lib")));
    let libs: Vec<_> = libs.filter(|lib| is_of(&real, lib)).collect();
    let sites = |lib: PathBuf| ["site-packages", "dist-packages"].map(|site| lib.join(site));
    dirs.extend(libs.into_iter().flat_map(sites));
    dirs.dedup();
    let mut packages = Vec::new();
    for dir in dirs {
        packages.push(dir.join("odoo"));
        if dir.ends_with("site-packages") || dir.ends_with("dist-packages") {
            packages.extend(linked(inside, &dir));
        }
    }
    packages
}

/// Whether modules in this `lib/NAME` are for the Python that runs, as far as it tells its version (`python3.11`).
fn is_of(real: &str, lib: &Path) -> bool {
    let name = lib.file_name().unwrap_or_default().to_string_lossy();
    let real = real.split(' ').next().unwrap_or_default();
    let tells = real.starts_with("python3.");
    name == "python3" || name.starts_with("python3") && (!tells || name == real)
}

/// Where the files of an editable installation lead.
fn linked(inside: &Inside, site: &Path) -> Vec<PathBuf> {
    let mut packages = Vec::new();
    let finds = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let is_finder = name.starts_with("__editable__") && name.ends_with(".py");
        let leads = is_finder || name.ends_with(".pth") || name.ends_with(".egg-link");
        leads.then_some(is_finder)
    };
    let files = inside.list(site).into_iter();
    let files = files.filter_map(|file| finds(&file).map(|is_finder| (file, is_finder)));
    for (file, is_finder) in files.take(MOST_LINKS) {
        let text = inside.text(&file).unwrap_or_default();
        if is_finder {
            packages.extend(mapped(&text));
        } else {
            let paths = text
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with('/'));
            let paths = paths.take(MOST_LINKS);
            packages.extend(paths.map(|path| Path::new(path).join("odoo")));
        }
    }
    packages
}

/// Where a finder of setuptools leads: `MAPPING: dict[str, str] = {'odoo': '/srv/odoo/odoo'}`.
fn mapped(finder: &str) -> Option<PathBuf> {
    let (_, mapping) = finder.split_once("MAPPING")?;
    let (_, after) = mapping.lines().next()?.split_once("'odoo': '")?;
    let (path, _) = after.split_once('\'')?;
    Some(PathBuf::from(path))
}

fn read(inside: &Inside, package: &Path) -> Option<Source> {
    let (release, stat) = inside.read(&package.join("release.py")).ok()?;
    let version = version(&String::from_utf8_lossy(&release))?;
    let of_http = inside.list(&package.join("http")).into_iter();
    let of_http = of_http.filter(|file| file.extension().is_some_and(|py| py == "py"));
    let files = ["http.py", "addons/base/models/ir_http.py"].map(|file| package.join(file));
    let files = files.into_iter().chain(of_http.take(MOST_FILES));
    let switch = switch_of(version);
    let mut source = Source {
        version,
        knows_switch: false,
        changed: stat.st_ctime,
    };
    for (text, stat) in files.flat_map(|file| inside.read(&file)) {
        source.knows_switch |= contains(&text, switch.as_bytes());
        source.changed = source.changed.max(stat.st_ctime);
    }
    Some(source)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// The variable that this version would heed, if its build knows it.
pub fn switch_of((major, _): Version) -> &'static str {
    match major {
        ..16 => OLD_SWITCH,
        16.. => NEW_SWITCH,
    }
}

/// `version_info = (17, 0, 0, FINAL, 0, '')` or `('saas~17', 2, …)`.
fn version(release: &str) -> Option<Version> {
    let lines = release.lines().map(str::trim_start);
    let mut lines = lines.filter_map(|line| line.strip_prefix("version_info"));
    let line = lines.find_map(|line| line.trim_start().strip_prefix('='))?;
    let mut parts = line.trim().trim_start_matches('(').split(',');
    let mut number = || {
        let part = parts.next()?.trim().trim_matches(['\'', '"']);
        let part = part.trim_start_matches("saas~");
        part.trim_start_matches("saas-").parse().ok()
    };
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_releases_write_them() {
        for (line, read) in [
            ("version_info = (17, 0, 0, FINAL, 0, '')", Some((17, 0))),
            (
                "version_info = ('saas~18', 2, 0, FINAL, 0, '')",
                Some((18, 2)),
            ),
            (
                "RELEASE = 1\nversion_info=(19, 1, 0, ALPHA, 1, '')\n",
                Some((19, 1)),
            ),
            ("version = '17.0'", None),
            ("version_info = ()", None),
        ] {
            assert_eq!(version(line), read, "{line}");
        }
    }

    #[test]
    fn an_editable_installation_says_where_it_is() {
        let finder =
            "from x import y\nMAPPING: dict[str, str] = {'a': '/a', 'odoo': '/srv/o/odoo'}\n";
        assert_eq!(mapped(finder), Some(PathBuf::from("/srv/o/odoo")));
        assert_eq!(mapped("NAMESPACES = {}"), None);
    }

    #[test]
    fn each_version_has_its_switch() {
        assert_eq!(switch_of((15, 0)), OLD_SWITCH);
        assert_eq!(switch_of((16, 0)), NEW_SWITCH);
    }
}
