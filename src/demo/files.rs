//! The real session files that are dealt out. What each of them says stands in the `manifest.json` beside it.

/// A file that Odoo wrote.
pub(super) struct Real {
    /// Its path in `tests/fixtures`; copies get names of the same shape.
    pub(super) like: &'static str,
    pub(super) content: &'static [u8],
    /// Where Odoo moved the login to, if it did.
    pub(super) successor: Option<&'static Real>,
}

#[rustfmt::skip]
macro_rules! real {
    ($path:literal as $like:literal, $successor:expr) => {
        Real { like: $like, content: include_bytes!(concat!("../../tests/fixtures/", $path)), successor: $successor }
    };
    ($path:literal) => { real!($path as $path, None) };
    ($path:literal then $next:literal) => { real!($path as $path, Some(&real!($next))) };
}

/// How many of a thousand files are copies of which one; 250 are flat.
#[rustfmt::skip]
pub(super) const FILES: [(usize, Real); 32] = [
    // Flat, of Odoo 14: a visitor, a cart, an open second factor, logins, leftovers.
    (202, real!("odoo-14/sessions/werkzeug_872ee771da9b0c57ed4aa204a9e29a655b0c21be.sess")),
    (4, real!("odoo-14/sessions/werkzeug_b49414275999124b7de7d1fa027e1e8d3d0123bd.sess")),
    (2, real!("odoo-14/sessions/werkzeug_42df6a6955d7e9934c952c230650d5382e729d89.sess")),
    (19, real!("odoo-14/sessions/werkzeug_1c311f7022625cab2a9a926c9d82569d27e48aa6.sess")),
    (14, real!("odoo-14/sessions/werkzeug_a716dc733e29a79a4d3cdacfa9702b0a23729e94.sess")),
    (3, real!("odoo-14/sessions/werkzeug_30c2fe08fd5101c7d5248e048007d51d11de4562.sess")),
    (3, real!("odoo-14/sessions/tmpncsry8om.__wz_sess")),
    (3, real!("odoo-14/sessions/werkzeug_2858d72132a92c3a936ee85f5f26f1e8a15fa6db_638752a5d4214ff4b4954a4c526c4d1b.file")),
    // Of 16, 18 and 19: visitors (one with a name that only 17 lets him choose), logins, a killed save, an open second factor.
    (120, real!("odoo-16/sessions/ce/cee0e8e9927ad3f9863fb276e00945413dde4547")),
    (1, real!("odoo-16/sessions/ce/cee0e8e9927ad3f9863fb276e00945413dde4547" as "odoo-17/sessions/vi/visitor-0123456789", None)),
    (23, real!("odoo-16/sessions/5d/5d239f097fb0aff96ebf81636bcd40c0b65b6edb")),
    (2, real!("odoo-16/sessions/tmpxfootakz.__wz_sess")),
    (162, real!("odoo-18/sessions/Jy/JyQ77v9Cl5esEkcY9hy8qvibWbjUbMxfHbrZkwHlNpo1KURPnthvDy6IVjnaSNyJsLIba3OJJdi9e-kMjMz2")),
    (2, real!("odoo-18/sessions/BF/BFJgyg183_fHNapUI3VKZeAjGMbz2rcyvd8aNuycVgpXzcfT2HkoLNPQNCaPzlOnl-jxKGXRxTE5gxWqMtqP")),
    (23, real!("odoo-18/sessions/Gj/GjF8McHJyXW_U0b9_nh400eNOY7VAUaijtnMYTKVcJWdw4KoSPZaR_lMR4mYDEbLGBrLzrqYKBIfmomc3cwa")),
    (140, real!("odoo-19/sessions/cv/cvWv34djFZmQa6LlnaxXfcVIbZ9JiPAUUM-9Rx54Tl54Dljkkvoyet9ATKWR8DwHjYvf0lMByyR7hUeTvVWb")),
    (10, real!("odoo-19/sessions/a7/a74AM8-EVlHqQSUbZWoDnNyb3tsCUVEaGYlvzbW-9U2q_NqpW8OCJ94vBzWorL7kTp6n9A2b1HCZ0FDdtbav")),
    (34, real!("odoo-19/sessions/FY/FYVp59pLXiNOUE4-Iu9wuoFK1agme_4tFHp7vhP2B4aAkQ_vLVU8k5RLLfgNtIGiO1lthHQQI_yh78gqEyZc")),
    // Of 20: a visitor, a wishlist, a cart, an open second factor, logins, an empty file, leftovers.
    (160, real!("odoo-20/sessions/42/42qs4mHNDad61C-6AgV8CYsB_I2IiQdYrWtXj_f6iXJI-Yw511IXadY9CnB8KMvRHVYPAg0QwUkScax8Ccb1iA")),
    (6, real!("odoo-20/sessions/xJ/xJ77YknCLUHz0S2n3j8DKMvWkuLaNfsqwSQElViGnyZ3lK6UjZ3RadUlUR4qwanwzh3Apyi8nU9VNrQm1pvwnQ")),
    (12, real!("odoo-20/sessions/QY/QYWuzQb_7Rs7yOZ-1qzZR5ct7SimOTpTC65dbuUYXjCfYwIpfZOcHBnWDDRMiKQD-ypSLVSpjGtMqQngqRN_OQ")),
    (3, real!("odoo-20/sessions/5C/5CJAazvbFQzL_naU56vbWN3k5ENQ9MrGPIoj-foB6JAgN9cS7wk09gE1VfdEJMCOHSuuUJj_Cj0ppPIojcxOZQ")),
    (12, real!("odoo-20/sessions/Uc/UcVLChOsiG1aiDiIrv7BM01DR0hsma-XMRxbdHf9K_2zIWfHQK5V2biLukPNMebxXEz5adHaOCaXcjd_AsESwA")),
    (18, real!("odoo-20/sessions/6z/6zanMDpLkV6G9B1XSKgw_caKmJjpS8beVy02CEsS6yyE2jDf9xWvowFc1vkl_tW-RYjTLIAzY0I2YxvnN9cP1w")),
    (3, real!("odoo-20/sessions/1A/1AAjBwT8NJ6qckLIND0sSXRPdnypt4CZiqlpxpnbopO7GdkL95ztLMLVYlSifLm8cVZLc0PIq-o7dKmHi2g-gg")),
    (2, real!("odoo-20/sessions/tmpcwmvqslq.__tx_sess__")),
    (3, real!("odoo-20/sessions/tmp6ojxr5ee.__tx_sess__")),
    // What a full disk and a power cut left of logins: no sessions.
    (1, real!("odoo-20/sessions/kx/kxbymX_nvyl8NXEaot54cZqFfne8xIdZHBFnu6SCJaMr-dJBPUAMEi09o5cqe6Z4HfsrVBvdCIHkYUNyqiJmBw")),
    (1, real!("odoo-20/sessions/vq/vq6n-_VgaSYU814k9H4jJKgxZ_dN_2LuYcozSyF1nAxG_uVQlqhOOcSq-iTLo0JILXnCmfLJV8qWkSuYzotp4Q")),
    // Logins that Odoo moved to a new file, and that file.
    (2, real!("odoo-19/sessions/AS/ASlivAmDM36hlDZSeG-GSA-gyZaeoOXubtmEL74lQsxvVLQ8827lSynxOVz_-PE1sroa0LXSoMouXVryOHI0"
        then "odoo-19/sessions/AS/ASlivAmDM36hlDZSeG-GSA-gyZaeoOXubtmEL74lQsNWOC6xb5DMZXFtF1Xu300KzQvYBtEaCgqEsnurCTPm")),
    (3, real!("odoo-20/sessions/RJ/RJfKyGfAnCsqOqr-4v3OdMhVMwGh8TJaduejoj6wk4dJYf9w75ytoLu-IO_8WkEVCtx9IAT0XpKZy12Ps4oogQ"
        then "odoo-20/sessions/RJ/RJfKyGfAnCsqOqr-4v3OdMhVMwGh8TJaduejoj6wk4H1wcIdRKpbYbHqxl1Oqf8zr5Qqb63dgxkvY2l025YOcQ")),
    (1, real!("odoo-20/sessions/NN/NNBK6VfYnou6kUZM77Krz2GJbId3I8ysQYSokK75eS6CJbKiAFNV8srJNb_FwWu3wivXZ3c25hCdoXMpruP3"
        then "odoo-20/sessions/NN/NNBK6VfYnou6kUZM77Krz2GJbId3I8ysQYSokK75eSi8a1YfafvkbP9tg8NY9t63OrUbUED6RBG22j3F_ScTCg")),
];
