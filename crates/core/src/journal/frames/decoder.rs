//! The bytes of a block into frames.

use super::columns::{Coder, Places};
use super::form::{FORMS_MAX, Form, TOLD_LEN};
use super::model::{Memory, Model, UNITS};
use super::schema;
use super::shape::{FRAME_BYTES_MAX, Shape, VECTORS_MAX};
use super::{AS_IT_IS, FIRST_FORM, INSTRUMENT};
use crate::journal::varint::take;

/// What a block tells, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A frame.
    Frame,
    /// An instrument as the catalogue has it.
    Instrument,
}

/// A form, and where what belongs to it stands.
#[derive(Clone, Debug)]
struct Known {
    form: Form,
    memory: Memory,
    /// From where to where in the templates; empty where some length stands in a column.
    template: (usize, usize),
}

/// Reads the frames of a block. It keeps no bytes of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Decoder {
    model: Model,
    places: Places,
    shapes: Vec<Shape>,
    forms: Vec<Known>,
    templates: Vec<u8>,
}

impl Decoder {
    /// Begins with a block. None where its bytes are none.
    pub(super) fn open(&mut self, block: &[u8]) -> Option<()> {
        let Self { model, places, shapes, forms, templates } = self;
        model.clear();
        shapes.clear();
        forms.clear();
        templates.clear();
        let mut rest = block;
        for _ in 0..take(&mut rest)? {
            let len = usize::try_from(take(&mut rest)?).ok()?;
            let (prelude, behind) = rest.split_at_checked(len)?;
            rest = behind;
            shapes.push(Shape::of(prelude)?);
        }
        let count = take(&mut rest).filter(|count| *count <= FORMS_MAX as u64)?;
        for _ in 0..count {
            let form = Form::read(&mut rest)?;
            let shape = shapes.get(form.shape as usize)?;
            let from = templates.len();
            if !form.lens.contains(&TOLD_LEN) {
                shape.template(&form.lens.map(u32::from), templates);
            }
            let memory = model.memory(form.instrument(), form.stream());
            forms.push(Known { form, memory, template: (from, templates.len()) });
        }
        places.find(block, block.len() - rest.len(), 1 + UNITS * model.instruments())
    }

    /// Whether all of it has been read.
    pub(super) fn is_read(&self) -> bool {
        self.places.are_read()
    }

    /// Appends the next frame, or what else it is. None where the block's bytes are none; what was appended is wrong then.
    #[inline]
    pub(super) fn next(&mut self, block: &[u8], out: &mut Vec<u8>) -> Option<What> {
        let Self { model, places, shapes, forms, templates } = self;
        let mut given = places.of(block);
        let start = out.len();
        let number = given.told(schema::FORM)?;
        let Some(number) = number.checked_sub(FIRST_FORM) else {
            let len = usize::try_from(given.told(schema::LEN)?).ok().filter(|len| *len <= block.len())?;
            out.resize(start + len, 0);
            given.raw(&mut out[start..], 0, len)?;
            return match number {
                AS_IT_IS => Some(What::Frame),
                INSTRUMENT => Some(What::Instrument),
                _ => None,
            };
        };
        let Known { form, memory, template: (from, to) } = forms.get(usize::try_from(number).ok()?)?;
        let shape = shapes.get(form.shape as usize)?;
        let mut lens = [0; VECTORS_MAX];
        if from == to {
            for (len, told) in lens.iter_mut().zip(form.lens) {
                *len = match told {
                    // Each element takes a byte at least of what is left.
                    TOLD_LEN => u32::try_from(given.told(schema::LEN)?)
                        .ok()
                        .filter(|len| *len as usize <= block.len().min(FRAME_BYTES_MAX))?,
                    len => len.into(),
                };
            }
            shape.bytes(&lens)?;
            shape.template(&lens, out);
        } else {
            lens = form.lens.map(u32::from);
            out.extend_from_slice(templates.get(*from..*to)?);
        }
        model.walk((shape, form), *memory, &lens, out.get_mut(start..)?, &mut given)?;
        Some(What::Frame)
    }
}
