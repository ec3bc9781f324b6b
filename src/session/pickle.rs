//! Sessions of Odoo up to 17: Python pickles, protocols 2 to 5.
//!
//! A pickle is a program, and this one is never run: an abstract machine follows what each operation does to the stack,
//! with *shapes* in place of values. A shape says what kind of value it is and which operation made it, so a string or a
//! number is decoded again where it matters, and lists and dictionaries have an identity.
//!
//! The session is the dictionary that the program returns. While it runs nobody knows which one that will be, so the machine
//! watches one: the first that is made, as pickles are written from the outside in. If another is returned, it runs once more.
//!
//! It is as strict as `pickle.load` of CPython 3, with these exceptions:
//!
//! - classes and functions are not looked up, and what calls of them return is opaque and truthy (so is an empty `OrderedDict`,
//!   and an empty set before protocol 4), can be a key, and takes any item;
//! - numbers for the memo must be dense, as every pickler writes them;
//! - operations that only protocols 0 and 1, persistent ids, extension codes and out-of-band buffers need are not supported;
//! - items and state are given to lists, sets, dictionaries and opaque objects only (`pickle` would also extend a `bytearray`).

mod input;
mod machine;
mod opcode;
mod shape;
mod stack;

use input::Input;
pub use machine::Buffers;
use machine::Machine;
pub(super) use opcode::PROTO as FIRST_BYTE;
use shape::Kind;

use super::{Session, Unreadable};

/// Reads a pickle: no more than [`super::MAX_BYTES`], which begin with [`FIRST_BYTE`].
pub(super) fn read<'a>(bytes: &'a [u8], buffers: &mut Buffers) -> Result<Session<'a>, Unreadable> {
    let input = Input::new(bytes);
    let mut machine = Machine::new(input, buffers, None);
    let mut result = machine.run()?;
    if result.kind != Kind::Dict {
        return Err(Unreadable::NotADictionary);
    }
    if !machine.watches(result) {
        machine = Machine::new(input, buffers, Some(result));
        result = machine.run()?;
    }
    debug_assert!(machine.watches(result));
    machine
        .facts
        .session(|shape| machine.value_of(shape).ok_or(Unreadable::BrokenPickle))
}

#[cfg(test)]
mod tests;
