//! Audit and reap Odoo's filesystem sessions.
