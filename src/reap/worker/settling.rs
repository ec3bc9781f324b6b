//! Settling files that are due, some at a time, and counting and telling what came of each.

use std::sync::atomic::Ordering;

use super::{File, Files, Judged, Worker};
use crate::policy::Verdict;
use crate::reap::{Due, Outcome};
use crate::redact;
use crate::store::name;

impl Worker<'_> {
    /// Settles the files that were found due.
    pub(super) fn settle_due(&mut self, files: Files<'_>) {
        if self.due.is_empty() {
            return;
        }
        let shared = self.shared;
        // At sight, the whole batch has it.
        let only = match shared.deletes_at_sight(files.dir) {
            true => None,
            false => shared.only_unlinker(files.dir),
        };
        let mut due = std::mem::take(&mut self.due);
        for (judged, outcome) in &mut due {
            // With its last handle the kernel gives the inode back, which is the larger part of a deletion. Where
            // others wait for their turn, that is done below: flat, it spared a fifth of the time.
            let handle = match only {
                Some(_) if shared.deletes_open_files => None,
                _ => judged.handle.take(),
            };
            let name = files.name(&judged.file);
            if !self.may_go(files, judged) {
                // It stays `Outcome::Left`.
                continue;
            }
            let stat = &judged.file.stat;
            *outcome = shared.settle(files.dir, name, stat, judged.checked, handle);
        }
        drop(only);
        for (judged, outcome) in due.drain(..) {
            self.settled(files, judged, outcome);
        }
        self.due = due;
    }

    /// Whether `--max-logouts` lets a file go.
    fn may_go(&mut self, files: Files<'_>, judged: &Judged) -> bool {
        let Verdict::Due { reason, .. } = judged.verdict else {
            return false;
        };
        self.asked.may_go(
            self.shared.fuse,
            (files.dir, files.name(&judged.file)),
            (judged.class, reason),
            &mut self.tally.kept_logins,
        )
    }

    fn settled(&mut self, files: Files<'_>, judged: Judged, outcome: Outcome) {
        let Judged {
            file, class, says, ..
        } = judged;
        let name = files.name(&file);
        if outcome == Outcome::SavedAgain && self.shared.chooser.is_some() {
            return self.again.push(file.index);
        }
        let File { kind, stat, .. } = file;
        match outcome {
            Outcome::SavedAgain => self.tally.saved_again(class),
            Outcome::Vanished => self.tally.gone(class),
            _ => {
                self.tally.due(class, &stat);
                if let Some(database) = says.database {
                    self.tally.databases.due(database, class);
                }
            }
        }
        match outcome {
            Outcome::Due | Outcome::WouldDelete | Outcome::Deleted => {
                self.tally.settled(class, &stat);
                self.tally.people.extend(says.person);
                if let Some(database) = says.database {
                    self.tally.databases.settled(database, class);
                }
                let due = &self.shared.progress.due;
                due.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Failed(operation, errno) => self.failed(operation, kind, name, errno),
            _ => {}
        }
        let (observer, policy) = (self.shared.observer, &self.shared.plan.policy);
        match judged.verdict {
            Verdict::Due { reason, window } if observer.wants(class) => observer.settled(&Due {
                kind,
                class,
                reason,
                window,
                age: policy.seen(class, &stat).age(policy.now),
                mtime: stat.mtime,
                size: stat.size,
                sid_prefix: redact::prefix(name::sid(name.to_bytes())),
                who: says.who.unwrap_or_default(),
                outcome,
            }),
            _ => {}
        }
    }
}
