//! Who called, for the journal: after an incident somebody asks who logged whom out.

use rustix::process::getuid;

use crate::redact::{self, Shown};

/// What the kernel says where nobody has logged in, as in a container.
const NOBODY: u32 = u32::MAX;

/// Who called `revoke`, as far as it can be told. To be asked before the process becomes the store's owner.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who ran it.
    uid: Shown,
    /// Who had logged in, whatever `su` and `sudo` made of it since (`/proc/self/loginuid`).
    login_uid: Option<Shown>,
    /// Who called sudo, as that says.
    sudo_user: Option<Shown>,
}

impl Caller {
    pub fn now() -> Caller {
        let shown = |text: &str| redact::printable(text.as_bytes());
        let login_uid = std::fs::read_to_string("/proc/self/loginuid").ok();
        let login_uid = login_uid.and_then(|uid| uid.trim().parse::<u32>().ok());
        let sudo_user = std::env::var("SUDO_USER").ok();
        Caller {
            uid: shown(&getuid().as_raw().to_string()),
            login_uid: login_uid
                .filter(|uid| *uid != NOBODY)
                .map(|uid| shown(&uid.to_string())),
            sudo_user: sudo_user
                .filter(|name| !name.is_empty())
                .map(|name| shown(&name)),
        }
    }

    /// His user id, that with which he logged in, and who called sudo.
    pub fn told(&self) -> [Option<&str>; 3] {
        let known = [
            Some(&self.uid),
            self.login_uid.as_ref(),
            self.sudo_user.as_ref(),
        ];
        known.map(|it| it.map(|it| &**it))
    }
}
