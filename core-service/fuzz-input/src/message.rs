//! Protobuf messages without their types: <https://protobuf.dev/programming-guides/encoding/>.
//!
//! What reads as a message is taken for one, which is now and then wrong and does no harm: it is written back as it was.

use crate::edit::{Edit, What, apply};

/// Deepest nesting that is looked into.
const DEEPEST: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    /// Number and wire type.
    tag: u64,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Varint(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// The message with its fields changed; as bytes, if it is none.
pub(crate) fn changed(edits: &[Edit], message: &[u8], donor: &[u8]) -> Vec<u8> {
    let Some(mut fields) = parse(message, DEEPEST) else {
        return crate::edit::apply_all(edits, message.to_vec(), donor);
    };
    for edit in edits {
        let count = count(&fields);
        if count > 0 {
            edit_field(&mut fields, &mut edit.field.index(count), edit, donor);
        }
    }
    encode(&fields)
}

/// Changes the field that is reached after `left` others; false if there are fewer.
fn edit_field(fields: &mut Vec<Field>, left: &mut usize, edit: &Edit, donor: &[u8]) -> bool {
    for position in 0..fields.len() {
        let Some(field) = fields.get_mut(position) else { return false };
        if *left == 0 {
            match edit.what {
                What::DropField => drop(fields.remove(position)),
                What::RepeatField => {
                    let again = field.clone();
                    fields.insert(position, again);
                }
                _ => change(&mut field.value, edit, donor),
            }
            return true;
        }
        *left -= 1;
        if let Value::Message(inner) = &mut field.value
            && edit_field(inner, left, edit, donor)
        {
            return true;
        }
    }
    false
}

fn change(value: &mut Value, edit: &Edit, donor: &[u8]) {
    match value {
        Value::Varint(number) => {
            *number = match &edit.what {
                What::Number { value, .. } => *value,
                What::Add { to } => number.wrapping_add(u64::from(*to)),
                What::Flip(mask) => *number ^ u64::from(*mask),
                _ => number.wrapping_neg(),
            }
        }
        Value::Fixed(bytes) => {
            let length = bytes.len();
            apply(edit, bytes, donor);
            bytes.resize(length, 0);
        }
        Value::Bytes(bytes) => apply(edit, bytes, donor),
        Value::Message(fields) => {
            let mut bytes = encode(fields);
            apply(edit, &mut bytes, donor);
            *value = Value::Bytes(bytes);
        }
    }
}

/// Fields at all depths.
fn count(fields: &[Field]) -> usize {
    let inner = |field: &Field| match &field.value {
        Value::Message(inner) => count(inner),
        _ => 0,
    };
    fields.iter().map(|field| 1 + inner(field)).sum()
}

fn parse(mut bytes: &[u8], deepest: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        if tag >> 3 == 0 {
            return None;
        }
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => Value::Fixed(take(&mut bytes, 8)?.to_vec()),
            5 => Value::Fixed(take(&mut bytes, 4)?.to_vec()),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                nested(take(&mut bytes, length)?, deepest)
            }
            _ => return None,
        };
        fields.push(Field { tag, value });
    }
    Some(fields)
}

fn nested(bytes: &[u8], deepest: usize) -> Value {
    let inner = if bytes.is_empty() || deepest == 0 { None } else { parse(bytes, deepest - 1) };
    // A number may be written in more ways than one: only what comes back as it was is taken apart.
    match inner {
        Some(fields) if encode(&fields) == bytes => Value::Message(fields),
        _ => Value::Bytes(bytes.to_vec()),
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Field { tag, value } in fields {
        put_varint(&mut bytes, *tag);
        match value {
            Value::Varint(number) => put_varint(&mut bytes, *number),
            Value::Fixed(fixed) => bytes.extend_from_slice(fixed),
            Value::Bytes(inner) => put_run(&mut bytes, inner),
            Value::Message(fields) => put_run(&mut bytes, &encode(fields)),
        }
    }
    bytes
}

fn put_run(bytes: &mut Vec<u8>, run: &[u8]) {
    put_varint(bytes, u64::try_from(run.len()).unwrap_or(u64::MAX));
    bytes.extend_from_slice(run);
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7F);
            return;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Field 1: 150; field 2: a message with field 1 = 8 bytes of fixed width and field 3 = "abc".
    const SAMPLE: [u8; 19] =
        [0x08, 0x96, 0x01, 0x12, 14, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x1A, 3, b'a', b'b', b'c'];

    #[test]
    fn a_message_is_taken_apart_and_put_together_again() {
        let fields = parse(&SAMPLE, DEEPEST).unwrap();
        assert_eq!(count(&fields), 4);
        assert!(
            matches!(&fields[..], [Field { value: Value::Varint(150), .. }, Field { value: Value::Message(inner), .. }] if inner.len() == 2)
        );
        assert_eq!(encode(&fields), SAMPLE);
    }

    proptest! {
        #[test]
        fn lengths_around_a_changed_field_are_mended(edits in proptest::collection::vec(crate::edit::edits(), 1..4)) {
            let changed = changed(&edits, &SAMPLE, &SAMPLE);
            prop_assert!(parse(&changed, DEEPEST).is_some(), "{changed:?}");
        }

        #[test]
        fn any_bytes_come_back_as_they_were_or_are_no_message(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Value::Message(fields) = nested(&bytes, DEEPEST) {
                prop_assert_eq!(encode(&fields), bytes);
            }
        }
    }
}
