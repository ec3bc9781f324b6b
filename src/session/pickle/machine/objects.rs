//! Classes, functions and calls: never looked up, never made.

use super::{BROKEN, Checked, Kind, Machine, Shape};

impl Machine<'_, '_> {
    /// A module's name and a class' name, each on a line.
    pub(super) fn global(&mut self, at: usize) -> Checked<()> {
        self.line()?;
        self.line()?;
        self.make(Kind::Opaque, at)
    }

    pub(super) fn stack_global(&mut self, at: usize) -> Checked<()> {
        self.pop_where(|name| name.kind == Kind::Text)?;
        self.pop_where(|module| module.kind == Kind::Text)?;
        self.make(Kind::Opaque, at)
    }

    pub(super) fn call(&mut self, at: usize) -> Checked<()> {
        self.pop_where(Shape::is_tuple)?;
        self.pop_where(|callee| callee.kind == Kind::Opaque)?;
        self.make(Kind::Opaque, at)
    }

    pub(super) fn call_with_keywords(&mut self, at: usize) -> Checked<()> {
        self.pop_where(|keywords| keywords.kind == Kind::Dict)?;
        self.call(at)
    }

    /// Gives an object its state.
    pub(super) fn build(&mut self) -> Checked<()> {
        self.buffers.stack.pop()?;
        match self.buffers.stack.top()?.kind {
            Kind::Opaque => Ok(()),
            _ => Err(BROKEN),
        }
    }

    fn pop_where(&mut self, fits: impl Fn(Shape) -> bool) -> Checked<()> {
        if fits(self.buffers.stack.pop()?) {
            Ok(())
        } else {
            Err(BROKEN)
        }
    }
}
