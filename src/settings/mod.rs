//! Where the settings come from: for now, the `odoo.conf` that says where Odoo keeps its data.

pub mod data_dir;
pub mod odoo_conf;
