//! Audit and reap Odoo's filesystem sessions.

pub mod demo;
