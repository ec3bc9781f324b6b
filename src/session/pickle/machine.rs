//! Follows a pickle operation by operation.

mod containers;
mod objects;
mod scalars;

use super::super::facts::{Facts, Key, Value};
use super::super::{Text, Unreadable};
use super::input::{self, Input};
use super::opcode::*;
use super::shape::{Kind, Shape};
use super::stack::{self, Memo, Stack};

/// The highest protocol that Python knows.
const HIGHEST_PROTOCOL: u8 = 5;

const BROKEN: Unreadable = Unreadable::BrokenPickle;

type Checked<T> = Result<T, Unreadable>;

/// What the machine works with, reused from file to file.
#[derive(Default)]
pub struct Buffers {
    stack: Stack,
    memo: Memo,
    /// A bit for each position: something was put into the container made there.
    filled: Vec<u64>,
}

impl Buffers {
    /// Gives back what only a monster file needed.
    pub(in super::super) fn shrink(&mut self) {
        self.stack.shrink();
        self.memo.shrink();
        stack::shrink(&mut self.filled);
    }
}

/// One run over one pickle.
pub(super) struct Machine<'b, 'm> {
    input: Input<'b>,
    /// The position of the next byte to read.
    next: usize,
    buffers: &'m mut Buffers,
    /// Where the watched dictionary was made; the first one if nothing is said.
    watched: Option<usize>,
    /// What was set in the watched dictionary.
    pub(super) facts: Facts<Shape>,
}

impl<'b, 'm> Machine<'b, 'm> {
    pub(super) fn new(input: Input<'b>, buffers: &'m mut Buffers, watched: Option<Shape>) -> Self {
        buffers.stack.clear();
        buffers.memo.clear();
        buffers.filled.clear();
        let watched = watched.map(Shape::made_at);
        Machine {
            input,
            next: 0,
            buffers,
            watched,
            facts: Facts::default(),
        }
    }

    pub(super) fn watches(&self, dict: Shape) -> bool {
        self.watched == Some(dict.made_at())
    }

    /// Runs until STOP and returns what the pickle is.
    pub(super) fn run(&mut self) -> Checked<Shape> {
        loop {
            let at = self.next;
            let opcode = self.input.byte(at).ok_or(BROKEN)?;
            self.next += 1;
            match opcode {
                SHORT_BINUNICODE => self.text(at, 1)?,
                MEMOIZE => self.put(at, self.buffers.memo.next())?,
                NONE => self.make(Kind::None, at)?,
                BININT1 => self.fixed(Kind::Int, at, 1)?,
                MARK => self.buffers.stack.mark()?,
                SETITEMS => self.set_items(None)?,
                EMPTY_DICT => self.dict(at)?,
                STOP => return self.buffers.stack.pop(),

                BINUNICODE => self.text(at, 4)?,
                BINUNICODE8 => self.text(at, 8)?,
                SHORT_BINSTRING => self.old_string(at, 1)?,
                BINSTRING => self.old_string(at, 4)?,
                SHORT_BINBYTES => self.counted(Kind::Bytes, at, 1).map(drop)?,
                BINBYTES => self.counted(Kind::Bytes, at, 4).map(drop)?,
                BINBYTES8 => self.counted(Kind::Bytes, at, 8).map(drop)?,
                BYTEARRAY8 => self.counted(Kind::ByteArray, at, 8).map(drop)?,

                NEWTRUE => self.make(Kind::True, at)?,
                NEWFALSE => self.make(Kind::False, at)?,
                BININT2 => self.fixed(Kind::Int, at, 2)?,
                BININT => self.fixed(Kind::Int, at, 4)?,
                BINFLOAT => self.fixed(Kind::Float, at, 8)?,
                LONG1 => self.counted(Kind::Int, at, 1).map(drop)?,
                LONG4 => self.counted(Kind::Int, at, 4).map(drop)?,

                BINPUT => {
                    let number = self.take::<1>()?[0];
                    self.put(at, usize::from(number))?;
                }
                LONG_BINPUT => {
                    let number = u32::from_le_bytes(self.take()?);
                    self.put(at, number as usize)?;
                }
                BINGET => {
                    let number = self.take::<1>()?[0];
                    self.get(usize::from(number))?;
                }
                LONG_BINGET => {
                    let number = u32::from_le_bytes(self.take()?);
                    self.get(number as usize)?;
                }

                SETITEM => self.set_items(Some(2))?,
                DICT => self.dict_of_items(at)?,
                EMPTY_LIST => self.make(Kind::List, at)?,
                LIST => self.container_of_items(Kind::List, at)?,
                APPEND => self.add_items(Kind::List, Some(1))?,
                APPENDS => self.add_items(Kind::List, None)?,
                EMPTY_SET => self.make(Kind::Set, at)?,
                ADDITEMS => self.add_items(Kind::Set, None)?,
                FROZENSET => self.container_of_items(Kind::FrozenSet, at)?,
                EMPTY_TUPLE => self.make(Kind::EmptyTuple, at)?,
                TUPLE => self.tuple(at, None)?,
                TUPLE1 => self.tuple(at, Some(1))?,
                TUPLE2 => self.tuple(at, Some(2))?,
                TUPLE3 => self.tuple(at, Some(3))?,

                POP => self.buffers.stack.pop_or_unmark()?,
                POP_MARK => {
                    let height = self.buffers.stack.take_mark()?;
                    self.buffers.stack.truncate(height);
                }
                DUP => {
                    let top = self.buffers.stack.top()?;
                    self.buffers.stack.push(top)?;
                }

                GLOBAL => self.global(at)?,
                STACK_GLOBAL => self.stack_global(at)?,
                REDUCE | NEWOBJ => self.call(at)?,
                NEWOBJ_EX => self.call_with_keywords(at)?,
                BUILD => self.build()?,

                PROTO => self.protocol()?,
                FRAME => self.frame()?,
                opcode if is_unsupported(opcode) => return Err(Unreadable::UnsupportedOpcode),
                _ => return Err(BROKEN),
            }
        }
    }

    /// What a shape is worth once the run is over.
    pub(super) fn value_of(&self, shape: Shape) -> Option<Value<'b>> {
        let at = shape.made_at();
        Some(match shape.kind {
            Kind::None => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Int => self.input.integer(at)?,
            Kind::Float => Value::Float(f64::from_be_bytes(self.input.array(at + 1)?)),
            Kind::Text => Value::Text(Text::from(self.input.payload(at)?)),
            Kind::Bytes | Kind::ByteArray => Value::Other {
                truthy: !self.input.payload(at)?.is_empty(),
            },
            Kind::List => Value::List {
                empty: !self.is_filled(at),
            },
            Kind::Dict | Kind::Set | Kind::FrozenSet => Value::Other {
                truthy: self.is_filled(at),
            },
            Kind::EmptyTuple => Value::Other { truthy: false },
            Kind::Tuple | Kind::UnhashableTuple | Kind::Opaque => Value::Other { truthy: true },
        })
    }

    fn take<const N: usize>(&mut self) -> Checked<[u8; N]> {
        let taken = self.input.array(self.next).ok_or(BROKEN)?;
        self.next += N;
        Ok(taken)
    }

    fn make(&mut self, kind: Kind, at: usize) -> Checked<()> {
        self.buffers.stack.push(Shape::new(kind, at))
    }

    #[inline(always)]
    fn put(&mut self, at: usize, number: usize) -> Checked<()> {
        let top = self.buffers.stack.top()?;
        self.buffers.memo.put(number, top, at)
    }

    fn get(&mut self, number: usize) -> Checked<()> {
        let value = self.buffers.memo.get(number)?;
        self.buffers.stack.push(value)
    }
}
