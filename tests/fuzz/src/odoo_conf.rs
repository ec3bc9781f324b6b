//! The reader of `odoo.conf`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odoo_session_reaper::settings::odoo_conf::OdooConf;

fuzz_target!(|data: &[u8]| {
    let Ok(conf) = OdooConf::parse(data) else {
        return;
    };
    let lines = data.len() + 1;
    for section in conf.sections().chain(["DEFAULT"]) {
        for (name, setting) in conf.options(section) {
            assert!(
                conf.get(section, name) == Some(setting),
                "what is listed is found"
            );
            assert!((1..=lines).contains(&setting.line));
            assert!(setting.value.len() <= data.len());
            assert!(!setting.value.starts_with(' ') && !setting.value.ends_with(' '));
        }
    }
    assert!(conf.get("no such section", "data_dir").is_none());
});
