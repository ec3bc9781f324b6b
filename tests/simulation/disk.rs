//! The store on disk: real files of a data_dir on tmpfs, with the times that the simulated clocks stamp.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use filetime::{set_file_times, set_symlink_file_times};
use tempfile::TempDir;

use crate::content::What;
use crate::mount::{Mount, Stamps};
use crate::time::{START, Time, file_time};

/// A file of the store, as the simulation knows it.
#[derive(Clone, Debug)]
pub struct File {
    pub stamps: Stamps,
    pub what: What,
    /// Whose it is: the index of a session.
    pub session: Option<usize>,
    /// When it really was saved.
    pub saved: Time,
    /// When anybody read it last, noted or not.
    pub read: Time,
}

pub struct Disk {
    data_dir: TempDir,
    pub sessions: PathBuf,
    pub mount: Mount,
    /// How far the host's clock is ahead of what really is.
    pub host: Time,
    /// How far the clock that stamps the files is ahead of the host's.
    pub server: Time,
    /// The mtime of `sessions/` itself.
    changed: Time,
    shards: HashSet<String>,
    pub files: BTreeMap<String, File>,
    outside: BTreeMap<PathBuf, (u64, u64, i64, i64)>,
    pub ever: usize,
}

/// Its files must stay, and so must everything that is not in `sessions/`.
const FOREIGN: &str = "README.txt";

impl Disk {
    pub fn new(mount: Mount) -> Disk {
        let memory = Path::new("/dev/shm");
        let data_dir = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let sessions = data_dir.path().join("sessions");
        fs::create_dir(&sessions).unwrap();
        let mut disk = Disk {
            data_dir,
            sessions,
            mount,
            host: 0,
            server: 0,
            changed: START,
            shards: HashSet::new(),
            files: BTreeMap::new(),
            outside: BTreeMap::new(),
            ever: 0,
        };
        disk.sentinels();
        disk
    }

    /// A sentinel tree beside the store: attachments with the names of sessions, another store, and ways there.
    fn sentinels(&mut self) {
        let root = self.data_dir.path().to_owned();
        let login = crate::content::of(crate::odoo::Version::V16, What::Login, 7, START);
        let hex = "ab6b9cc7ae28fe77b9d523c36cd4769c135fc5d7";
        for dir in ["filestore/shop/ab", "other/sessions/ab", "addons"] {
            fs::create_dir_all(root.join(dir)).unwrap();
            fs::write(root.join(dir).join(hex), &login).unwrap();
        }
        fs::write(self.sessions.join(FOREIGN), "mine").unwrap();
        symlink(root.join("other/sessions/ab"), self.sessions.join("ab")).unwrap();
        let flat = format!("werkzeug_{hex}.sess");
        symlink(
            root.join("other/sessions/ab").join(hex),
            self.sessions.join(flat),
        )
        .unwrap();
        let old = file_time(START - 400 * crate::time::DAY);
        for entry in walkdir::WalkDir::new(&root).contents_first(true) {
            set_symlink_file_times(entry.unwrap().path(), old, old).unwrap();
        }
        self.outside = self.look_outside();
    }

    /// Everything that must never change, by inode, size and times.
    fn look_outside(&self) -> BTreeMap<PathBuf, (u64, u64, i64, i64)> {
        let mut seen = BTreeMap::new();
        let below = |path: &Path| path.starts_with(&self.sessions);
        for entry in walkdir::WalkDir::new(self.data_dir.path()).min_depth(1) {
            let entry = entry.unwrap();
            let metadata = entry.path().symlink_metadata().unwrap();
            let link_or_foreign = metadata.is_symlink() || entry.file_name() == FOREIGN;
            if !below(entry.path()) || link_or_foreign {
                // A directory's access time moves when we list it here.
                let atime = if metadata.is_dir() {
                    0
                } else {
                    metadata.atime()
                };
                let fingerprint = (metadata.ino(), metadata.size(), metadata.mtime(), atime);
                seen.insert(entry.into_path(), fingerprint);
            }
        }
        seen
    }

    /// What the clock says that stamps the files.
    pub fn stamp(&self, now: Time) -> Time {
        now + self.host + self.server
    }

    fn put(&mut self, name: &str, content: &[u8]) {
        if let Some((shard, _)) = name.split_once('/') {
            if self.shards.insert(shard.to_owned()) {
                fs::create_dir(self.sessions.join(shard)).unwrap();
            }
        }
        let temporary = self.sessions.join("tmpabcdefgh.__wz_sess");
        fs::write(&temporary, content).unwrap();
        fs::rename(temporary, self.sessions.join(name)).unwrap();
        self.ever += 1;
    }

    /// A save: `mkstemp` at the top, write, `rename` (facts, *Where the files are*). The new inode's atime is no later
    /// than its mtime (live, *Nobody ever came back*).
    pub fn save(
        &mut self,
        name: &str,
        content: &[u8],
        what: What,
        session: Option<usize>,
        now: Time,
    ) {
        self.put(name, content);
        let stamp = self.stamp(now);
        self.changed = stamp;
        let stamps = Stamps {
            mtime: stamp,
            atime: stamp,
            ctime: stamp,
        };
        let file = File {
            stamps,
            what,
            session,
            saved: now,
            read: now,
        };
        self.set_times(name, stamps);
        self.files.insert(name.to_owned(), file);
    }

    fn set_times(&self, name: &str, stamps: Stamps) {
        let (atime, mtime) = (file_time(stamps.atime), file_time(stamps.mtime));
        set_file_times(self.sessions.join(name), atime, mtime).unwrap();
    }

    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Somebody reads a file, and the mount notes it or not.
    pub fn read(&mut self, name: &str, now: Time) {
        let stamp = self.stamp(now);
        let mount = self.mount;
        let Some(file) = self.files.get_mut(name) else {
            return;
        };
        file.read = now;
        if mount.notes(file.stamps, stamp) {
            file.stamps.atime = stamp;
            let stamps = file.stamps;
            self.set_times(name, stamps);
        }
    }

    /// A backup that reads.
    pub fn read_all(&mut self, now: Time) {
        let names: Vec<String> = self.files.keys().cloned().collect();
        for name in names {
            self.read(&name, now);
        }
    }

    /// Odoo deletes a file.
    pub fn unlink(&mut self, name: &str, now: Time) {
        if self.files.remove(name).is_some() {
            fs::remove_file(self.sessions.join(name)).unwrap();
            self.touched(name, now);
        }
    }

    /// Odoo 16 and 17 move a flat file into its shard: the times stay, but for ctime.
    pub fn rename(&mut self, from: &str, to: &str, now: Time) {
        let Some(mut file) = self.files.remove(from) else {
            return;
        };
        let content = fs::read(self.sessions.join(from)).unwrap();
        fs::remove_file(self.sessions.join(from)).unwrap();
        self.put(to, &content);
        file.stamps.ctime = self.stamp(now);
        self.set_times(to, file.stamps);
        self.files.insert(to.to_owned(), file);
        self.changed = self.stamp(now);
    }

    /// Deleting a flat file moves the time of `sessions/`, deleting in a shard does not (facts, *Where the files are*).
    fn touched(&mut self, name: &str, now: Time) {
        if !name.contains('/') {
            self.changed = self.stamp(now);
        }
    }

    /// Makes the directory's own time what it would be.
    pub fn settle(&self) {
        let time = file_time(self.changed);
        set_file_times(&self.sessions, time, time).unwrap();
    }

    /// The files that somebody else has deleted meanwhile; from here on the simulation knows.
    pub fn gone(&mut self, now: Time) -> Vec<(String, File)> {
        let is_gone = |name: &String| self.sessions.join(name).symlink_metadata().is_err();
        let names: Vec<String> = self
            .files
            .keys()
            .filter(|name| is_gone(name))
            .cloned()
            .collect();
        let mut gone = Vec::new();
        for name in names {
            self.touched(&name, now);
            if let Some(file) = self.files.remove(&name) {
                gone.push((name, file));
            }
        }
        gone
    }

    /// Compares the disk with what is known of it: nothing else has gone, come, or changed its times.
    ///
    /// # Errors
    /// Says what is different.
    pub fn compare(&self) -> Result<(), String> {
        let mut there = BTreeSet::new();
        for entry in walkdir::WalkDir::new(&self.sessions) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() && entry.file_name() != FOREIGN {
                let name = entry.path().strip_prefix(&self.sessions).unwrap();
                let name = name.to_str().unwrap().to_owned();
                let metadata = entry.metadata().unwrap();
                let expected = self.files.get(&name).map(|file| file.stamps);
                let is = (metadata.atime(), metadata.mtime());
                if expected.map(|stamps| {
                    (
                        stamps.atime.div_euclid(1_000),
                        stamps.mtime.div_euclid(1_000),
                    )
                }) != Some(is)
                {
                    return Err(format!("{name} has the times {is:?}, and not {expected:?}"));
                }
                there.insert(name);
            }
        }
        if let Some(lost) = self.files.keys().find(|name| !there.contains(*name)) {
            return Err(format!("{lost} has gone, and nobody told"));
        }
        if self.look_outside() != self.outside {
            return Err("something that is no session was touched".to_owned());
        }
        Ok(())
    }

    /// The store as it is, for a backup that leaves no trace.
    pub fn snapshot(&self) -> Backup {
        let mut files = Vec::new();
        for (name, file) in &self.files {
            let content = fs::read(self.sessions.join(name)).unwrap();
            self.set_times(name, file.stamps);
            files.push((name.clone(), file.clone(), content));
        }
        Backup {
            files,
            changed: self.changed,
        }
    }

    /// What restic and borg do: mtime as it was, atime = mtime, ctime now (live, *Nobody ever came back*).
    pub fn restore(&mut self, backup: &Backup, now: Time) {
        for name in std::mem::take(&mut self.files).into_keys() {
            fs::remove_file(self.sessions.join(name)).unwrap();
        }
        for (name, file, content) in &backup.files {
            self.put(name, content);
            let mut file = file.clone();
            file.stamps.atime = file.stamps.mtime;
            file.stamps.ctime = self.stamp(now);
            self.set_times(name, file.stamps);
            self.files.insert(name.clone(), file);
        }
        self.changed = backup.changed;
    }

    /// All times moved by as much, on disk only, for a program that has the machine's own clock.
    pub fn shifted(&self, by: Time) {
        for (name, Stamps { mtime, atime, .. }) in
            self.files.iter().map(|(name, file)| (name, file.stamps))
        {
            let path = self.sessions.join(name);
            if path.symlink_metadata().is_ok() {
                set_file_times(path, file_time(atime + by), file_time(mtime + by)).unwrap();
            }
        }
        let changed = file_time(self.changed + by);
        set_file_times(&self.sessions, changed, changed).unwrap();
    }
}

pub struct Backup {
    files: Vec<(String, File, Vec<u8>)>,
    changed: Time,
}
