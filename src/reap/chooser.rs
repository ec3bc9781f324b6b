//! Choosing files by what they say: `who` and `revoke` are the walk of a reap with another judge.

use std::time::Duration;

use crate::policy::{Class, Content, Reason, Verdict};
use crate::store::stat::Stat;

/// Somebody who chooses what goes, in place of the windows. Called from several threads.
pub(crate) trait Chooser: Sync {
    /// Whether to open files that would look younger for it: those of somebody else.
    fn leaves_traces(&self) -> bool;

    /// Whether to look into this shard.
    fn enters(&self, _shard: &[u8]) -> bool {
        true
    }

    /// Whether to look at the session with this id.
    fn wants(&self, _sid: &[u8]) -> bool {
        true
    }

    /// Whether this file goes.
    fn takes(&self, met: &Met<'_>) -> bool;
}

/// A file that was read, or could not be.
pub(crate) struct Met<'a> {
    pub sid: &'a [u8],
    pub stat: &'a Stat,
    pub content: &'a Content<'a>,
    pub class: Class,
    /// What its age says.
    pub by_age: Verdict,
}

/// What is chosen has no window.
pub(super) const CHOSEN: Verdict = Verdict::Due {
    reason: Reason::Revoked,
    window: Duration::ZERO,
};

/// How often a session that is saved again and again is read again before it is left to whoever watches. A save takes
/// longer than a look.
pub(super) const LOOKS: usize = 16;
