//! A bounded handful of directory entries, stored without an allocation each.

use std::ffi::CStr;

use rustix::fs::FileType;

/// How many entries a batch holds at most: enough to make sorting by inode and handing to a worker pay,
/// few enough to stay within half a megabyte with names of 255 bytes.
pub const CAPACITY: usize = 1024;

/// Directory entries: their names one after the other, each with its terminating NUL.
#[derive(Debug, Default)]
pub struct Batch {
    names: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    ino: u64,
    name: u32,
    file_type: FileType,
}

impl Batch {
    /// Adds an entry. A name with a NUL in it cannot come from a directory; it would be cut there.
    pub fn push(&mut self, name: &[u8], ino: u64, file_type: FileType) {
        // Some ten thousand names of 255 bytes: fits u32.
        let start = self.names.len() as u32;
        self.names.extend_from_slice(name);
        self.names.push(0);
        self.entries.push(Entry {
            ino,
            name: start,
            file_type,
        });
    }

    /// Whether it should be worked on now.
    pub fn is_full(&self) -> bool {
        self.entries.len() >= CAPACITY
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries are in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Empties it, keeping its memory for the next entries.
    pub fn clear(&mut self) {
        self.names.clear();
        self.entries.clear();
    }

    /// Orders the entries as their inodes lie on disk, which spares a cold cache most of its seeks.
    pub fn sort_by_inode(&mut self) {
        self.entries.sort_unstable_by_key(|entry| entry.ino);
    }

    /// Its entries in their order, as batches of `size`, the last of them partly filled.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = Batch> {
        self.entries.chunks(size).map(|entries| {
            let mut batch = Batch::default();
            for entry in entries {
                let name = self.name(entry).to_bytes();
                batch.push(name, entry.ino, entry.file_type);
            }
            batch
        })
    }

    /// Name and type of the entry `index`.
    pub fn get(&self, index: usize) -> (&CStr, FileType) {
        let entry = &self.entries[index];
        (self.name(entry), entry.file_type)
    }

    fn name(&self, entry: &Entry) -> &CStr {
        let name = CStr::from_bytes_until_nul(&self.names[entry.name as usize..]);
        // `push` ended every name with a NUL.
        name.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in_by_inode() {
        let mut batch = Batch::default();
        batch.push(b"second", 9, FileType::RegularFile);
        batch.push(b"", 3, FileType::Directory);
        batch.sort_by_inode();
        assert_eq!(batch.get(0), (c"", FileType::Directory));
        assert_eq!(batch.get(1), (c"second", FileType::RegularFile));
        batch.clear();
        assert!(batch.is_empty());
    }
}
