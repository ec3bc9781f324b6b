//! Who called, for the journal: after an incident somebody asks who logged whom out.

use rustix::process::getuid;

use crate::redact::{self, Shown};

/// What the kernel says where nobody has logged in, as in a container.
const NOBODY: u32 = u32::MAX;

/// Who called `revoke`, as far as it can be told: his user id, that with which he had logged in, whatever `su` and
/// `sudo` made of it since (`/proc/self/loginuid`), and who called sudo, as that says.
#[derive(Clone, Debug)]
pub(crate) struct Caller([Option<Shown>; 3]);

impl Caller {
    /// To be asked before the process becomes the store's owner.
    pub fn now() -> Caller {
        let login_uid = std::fs::read_to_string("/proc/self/loginuid").ok();
        let login_uid = login_uid.and_then(|uid| uid.trim().parse::<u32>().ok());
        let sudo_user = std::env::var("SUDO_USER").ok();
        let sudo_user = sudo_user.filter(|name| !name.is_empty());
        Caller([
            Some(getuid().as_raw().into()),
            login_uid.filter(|uid| *uid != NOBODY).map(Shown::from),
            sudo_user.map(|name| redact::printable(name.as_bytes())),
        ])
    }

    pub fn told(&self) -> [Option<&str>; 3] {
        self.0.each_ref().map(Option::as_deref)
    }
}
