//! Frames into the bytes of a block.

use std::collections::HashMap;

use super::columns::{Taken, packed};
use super::form::{FORMS_MAX, Form};
use super::model::{Model, NO_UNIT, UNITS, is_number, short_lens, word_at};
use super::schema::{self, What};
use super::shape::{HEADER_BYTES, PRELUDE_BYTES_MAX, Shape, VECTORS_MAX, elements_at};
use super::{AS_IT_IS, FIRST_FORM, INSTRUMENT};
use crate::encode::find_header;
use crate::journal::varint::put;

/// Offset of the time of sending in a header.
#[cfg(test)]
const AT_TS_SEND: usize = 48;
/// Offset of the word that a form tells.
const AT_WHICH: usize = 56;
/// Shapes of a block; frames of further ones are kept as they are.
const SHAPES_MAX: usize = 256;

/// Collects the frames of a block.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoder {
    model: Model,
    taken: Taken,
    shapes: Vec<Shape>,
    forms: Vec<Form>,
    by_form: HashMap<Form, u64>,
    count: u32,
    /// A frame with its time of sending away; reused.
    scratch: Vec<u8>,
    template: Vec<u8>,
}

impl Encoder {
    /// Items so far.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Bytes that it takes about, unpacked.
    pub(super) fn bytes(&self) -> usize {
        2 * self.taken.numbers() + self.taken.raw.len()
    }

    /// Whether another form may be one too many.
    pub(super) fn is_full(&self) -> bool {
        self.forms.len() >= FORMS_MAX
    }

    /// Takes a frame; false where it is kept as it is.
    pub(super) fn frame(&mut self, frame: &[u8]) -> bool {
        self.count += 1;
        let is_in_columns = self.in_columns(frame).is_some();
        if !is_in_columns {
            self.aside(AS_IT_IS, frame);
        }
        is_in_columns
    }

    /// Takes an instrument as the catalogue has it.
    pub(super) fn instrument(&mut self, text: &[u8]) {
        self.count += 1;
        self.aside(INSTRUMENT, text);
    }

    fn aside(&mut self, what: u64, bytes: &[u8]) {
        self.taken.note(schema::FORM, NO_UNIT, what as i64);
        self.taken.note(schema::LEN, NO_UNIT, bytes.len() as i64);
        self.taken.raw.extend_from_slice(bytes);
    }

    /// None, and nothing has changed but what is expected, for a frame that is not of the kind that columns hold.
    fn in_columns(&mut self, frame: &[u8]) -> Option<()> {
        let at = find_header(frame).filter(|at| *at <= PRELUDE_BYTES_MAX)?;
        let known = self.shapes.iter().position(|shape| shape.prelude.get(4..) == frame.get(4..at));
        let shape = match known {
            Some(shape) => shape,
            None if self.shapes.len() < SHAPES_MAX => {
                self.shapes.push(Shape::of(&frame[..at])?);
                self.shapes.len() - 1
            }
            None => return None,
        };
        let Self { model, taken, shapes, forms, by_form, scratch, template, .. } = self;
        let (number, shape) = (shape as u32, &shapes[shape]);
        let lens = shape.lens_of(frame)?;
        if !is_laid_out(shape, &lens, frame, template)? {
            return None;
        }
        let header: &[u8; HEADER_BYTES] = frame.get(at..)?.first_chunk()?;
        let which = word_at(header, AT_WHICH);
        let mut form = Form { shape: number, lens: short_lens(&lens), modes: Form::SAME, which };
        let memory = model.memory(form.instrument(), form.stream());
        form.modes = model.modes_of(memory, header);
        let number = *by_form.entry(form).or_insert_with(|| {
            forms.push(form);
            forms.len() as u64 - 1
        });
        taken.note(schema::FORM, NO_UNIT, (FIRST_FORM + number) as i64);
        for (told, len) in form.lens.iter().zip(lens) {
            if *told == super::form::TOLD_LEN {
                taken.note(schema::LEN, NO_UNIT, len.into());
            }
        }
        scratch.clear();
        scratch.extend_from_slice(frame);
        // What has been looked at above has all numbers that are asked for.
        model.walk((shape, &form), memory, &lens, scratch, taken)
    }

    /// Appends the bytes of all that it has, which is none then.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        put(out, self.shapes.len() as u64);
        for shape in &self.shapes {
            put(out, shape.prelude.len() as u64);
            out.extend_from_slice(&shape.prelude);
        }
        put(out, self.forms.len() as u64);
        self.forms.iter().for_each(|form| form.write(out));
        self.taken.write(1 + UNITS * self.model.instruments(), out);
        self.model.clear();
        self.shapes.clear();
        self.forms.clear();
        self.by_form.clear();
        self.count = 0;
    }
}

/// Whether a frame is its numbers between the bytes that its shape has, and orders of it are such as a column tells.
fn is_laid_out(
    shape: &Shape,
    lens: &[u32; VECTORS_MAX],
    frame: &[u8],
    template: &mut Vec<u8>,
) -> Option<bool> {
    shape.bytes(lens).filter(|bytes| *bytes == frame.len())?;
    template.clear();
    shape.template(lens, template);
    let mut from = 0;
    let mut is_same = true;
    let mut skip = |start: usize, end: usize| {
        is_same &= template[from..start] == frame[from..start];
        from = end;
    };
    let header_at = shape.header_at();
    skip(header_at, shape.fixed_bytes - 4 * shape.vectors.len());
    let mut end = shape.fixed_bytes;
    for ((_, what), len) in shape.vectors.iter().zip(lens) {
        let at = elements_at(end);
        end = at + *len as usize * what.bytes();
        skip(at, end);
        if *what == What::Orders && !frame[at..end].as_chunks::<40>().0.iter().all(is_told) {
            return Some(false);
        }
    }
    skip(frame.len(), frame.len());
    Some(is_same)
}

fn is_told(order: &[u8; 40]) -> bool {
    let tail = [order[36], order[37], order[38], order[39]];
    packed(tail).is_some() && (!is_number(tail) || word_at(order, 8) == 0)
}

/// A frame without its time of sending, which no journal keeps.
#[cfg(test)]
pub(super) fn without_sending(frame: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(frame);
    if let Some(at) = find_header(frame) {
        let from = out.len() - frame.len() + at + AT_TS_SEND;
        out[from..from + 8].fill(0);
    }
}
