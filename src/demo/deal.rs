//! Deals out copies of the real files: which one, how old, under what name.

use super::files::{FILES, Real};
use super::{Layout, Recipe};
use crate::session::{self, Scratch};
use fastrand::Rng;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: f64 = 86_400.0;

/// The letters of names: of Odoo up to 17, of newer ones, and of Python's tempfile.
const HEX: &[u8] = b"0123456789abcdef";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const TEMPFILE: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";

/// A file to be put into the store: its path below `sessions`, when it was saved last, and what it says.
pub(super) type Dealt = (String, SystemTime, Vec<u8>);

pub(super) struct Dealer<'a> {
    recipe: &'a Recipe,
    now: SystemTime,
    rng: Rng,
    /// Shuffled; when the last one is dealt, there is a new deck.
    deck: Vec<&'static Real>,
    /// The successor of the superseded session that was dealt last.
    next: Option<Dealt>,
}

impl<'a> Dealer<'a> {
    pub(super) fn new(recipe: &'a Recipe, now: SystemTime) -> Self {
        Self {
            recipe,
            now,
            rng: Rng::with_seed(recipe.seed),
            deck: Vec::new(),
            next: None,
        }
    }

    /// File number `index`.
    pub(super) fn deal(&mut self, index: u64) -> Dealt {
        if let Some(next) = self.next.take() {
            return next;
        }
        let real = self.card();
        let path = self.path(real);
        let age = self.age(index, real);
        let saved = self.now - age;
        let Some(successor) = real.successor else {
            return (path, saved, content(real, saved));
        };
        // Odoo keeps 42 characters of the session id …
        let rest = self.letters(URL_SAFE, successor.name().len() - 42);
        let next = path[..3 + 42].to_owned() + &rest;
        // … and takes the old one for two minutes more.
        let old = content(real, saved + Duration::from_secs(120));
        let old = String::from_utf8_lossy(&old).replace(successor.name(), &next[3..]);
        let since = match self.recipe.expired_percent {
            None => self.now - age.mul_f64(self.rng.f64()),
            Some(_) => self.now - self.age(index + 1, successor),
        };
        self.next = Some((next, since, content(successor, since)));
        (path, saved, old.into_bytes())
    }

    fn card(&mut self) -> &'static Real {
        let recipe = self.recipe;
        let belongs = |(_, real): &&(usize, Real)| match recipe.layout {
            _ if recipe.expired_percent.is_some() && real.is_spoilt() => false,
            Layout::Flat => real.is_flat(),
            Layout::Sharded => !real.is_flat(),
            Layout::Both => true,
        };
        loop {
            if let Some(real) = self.deck.pop() {
                return real;
            }
            for (many, real) in FILES.iter().filter(belongs) {
                self.deck.extend(std::iter::repeat_n(real, *many));
            }
            self.rng.shuffle(&mut self.deck);
        }
    }

    fn age(&mut self, index: u64, real: &Real) -> Duration {
        let part = self.rng.f64();
        let (youngest, oldest, part) = match self.recipe.expired_percent {
            Some(share) if self.is_expired(index, share) => (8.1 * DAY, 60.0 * DAY, part),
            Some(_) => (60.0, 0.8 * DAY, part),
            // Odoo 14 made way for a newer one.
            None if real.is_flat() && self.recipe.layout == Layout::Both => {
                (20.0 * DAY, 60.0 * DAY, part)
            }
            // Many are young: each bar of a histogram down to the minutes has something to show.
            None => (60.0, 60.0 * DAY, part.powi(4)),
        };
        Duration::from_secs_f64(youngest + (oldest - youngest) * part)
    }

    /// Whether one more is expired with this file than without it: exactly the share is, evenly spread.
    fn is_expired(&self, index: u64, percent: u8) -> bool {
        let files = u128::from(self.recipe.sessions);
        let expired = (files * u128::from(percent.min(100)) + 50) / 100;
        let until = |index: u64| u128::from(index) * expired / files;
        until(index) < until(index + 1)
    }

    /// A path of the same shape as that of the real file.
    fn path(&mut self, real: &Real) -> String {
        let like = real.name();
        let (before, alphabet, length) = match like.len() {
            _ if real.is_unfinished() => ("tmp", TEMPFILE, 8),
            _ if real.is_flat() => ("werkzeug_", HEX, 40),
            40 => ("", HEX, 40),
            length => ("", URL_SAFE, length),
        };
        let name = self.letters(alphabet, length);
        match before {
            "" => format!("{}/{name}", &name[..2]),
            _ => before.to_owned() + &name + &like[before.len() + length..],
        }
    }

    fn letters(&mut self, alphabet: &[u8], count: usize) -> String {
        let draw = |_| char::from(alphabet[self.rng.usize(..alphabet.len())]);
        (0..count).map(draw).collect()
    }
}

/// What the real file says; in JSON all times move by as much as makes the last of them `latest`.
fn content(real: &Real, latest: SystemTime) -> Vec<u8> {
    let text = std::str::from_utf8(real.content).ok();
    let Some(json) = text.filter(|text| text.starts_with('{')) else {
        return real.content.to_vec();
    };
    // Each real file that says a time is of the same four months.
    let times = json.match_indices("\": 179").filter_map(|(at, _)| {
        let digits = at + 3..at + 13;
        Some((digits.clone(), json.get(digits)?.parse::<u64>().ok()?))
    });
    let last = times.clone().map(|(_, time)| time).max().unwrap_or(0);
    let latest = latest.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut moved = json.to_owned();
    for (digits, time) in times {
        let time = (latest.as_secs() + time).saturating_sub(last);
        moved.replace_range(digits, &format!("{time:010}"));
    }
    moved.into_bytes()
}

impl Real {
    fn name(&self) -> &'static str {
        self.like.rsplit('/').next().unwrap_or(self.like)
    }

    fn is_flat(&self) -> bool {
        self.like.starts_with("odoo-14/")
    }

    fn is_unfinished(&self) -> bool {
        self.name().starts_with("tmp")
    }

    fn is_spoilt(&self) -> bool {
        let read = session::read(self.content, &mut Scratch::default());
        !self.content.is_empty() && !self.is_unfinished() && read.is_err()
    }
}
