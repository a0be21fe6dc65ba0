//! Changes to bytes.

use proptest::{prelude::*, sample::Index};

/// Numbers at which code that counts goes wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Longest run of bytes that is put in, taken out or copied.
const LONGEST: usize = 64;

/// One change; places are drawn before the length of what they are in is known.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// Where; in a message, of which field too.
    pub(crate) at: Index,
    /// In which field of a message.
    pub(crate) field: Index,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Flip(u8),
    Number {
        value: u64,
        width: usize,
        big_endian: bool,
    },
    Add {
        to: u8,
    },
    Insert(Vec<u8>),
    Remove(usize),
    Repeat(usize),
    Truncate,
    /// What another seed has from there on.
    Splice {
        from: Index,
        length: usize,
    },
    /// In a message: the field goes, or comes twice. In bytes: nothing.
    DropField,
    RepeatField,
}

pub(crate) fn edits() -> impl Strategy<Value = Edit> {
    let number = (number(), prop::sample::select(vec![1_usize, 2, 4, 8]), any::<bool>());
    let what = prop_oneof![
        4 => (1_u8..).prop_map(What::Flip),
        4 => number.prop_map(|(value, width, big_endian)| What::Number { value, width, big_endian }),
        2 => prop::sample::select(vec![1_u8, 2, 16, 254, 255]).prop_map(|to| What::Add { to }),
        2 => proptest::collection::vec(any::<u8>(), 1..LONGEST).prop_map(What::Insert),
        2 => (1..LONGEST).prop_map(What::Remove),
        1 => (1..LONGEST).prop_map(What::Repeat),
        1 => Just(What::Truncate),
        2 => (any::<Index>(), 1..LONGEST).prop_map(|(from, length)| What::Splice { from, length }),
        1 => Just(What::DropField),
        1 => Just(What::RepeatField),
    ];
    (any::<Index>(), any::<Index>(), what).prop_map(|(at, field, what)| Edit { at, field, what })
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![prop::sample::select(EDGES.to_vec()), any::<u64>(), 0..1000_u64]
}

pub(crate) fn apply_all(edits: &[Edit], mut bytes: Vec<u8>, donor: &[u8]) -> Vec<u8> {
    for edit in edits {
        apply(edit, &mut bytes, donor);
    }
    bytes
}

/// Changes bytes in their place; empty ones can only be filled.
pub(crate) fn apply(edit: &Edit, bytes: &mut Vec<u8>, donor: &[u8]) {
    let at = if bytes.is_empty() { 0 } else { edit.at.index(bytes.len()) };
    let upto = |length: usize| at.saturating_add(length).min(bytes.len());
    match &edit.what {
        What::Flip(mask) => change(bytes, at, |byte| byte ^ mask),
        What::Add { to } => change(bytes, at, |byte| byte.wrapping_add(*to)),
        What::Number { value, width, big_endian } => {
            let (small, big) = (value.to_le_bytes(), value.to_be_bytes());
            let number = if *big_endian { big.get(8 - width..) } else { small.get(..*width) };
            overwrite(bytes, at, number.unwrap_or_default());
        }
        What::Insert(run) => drop(bytes.splice(at..at, run.iter().copied())),
        What::Remove(length) => drop(bytes.drain(at..upto(*length))),
        What::Repeat(length) => {
            let run = bytes.get(at..upto(*length)).unwrap_or_default().to_vec();
            drop(bytes.splice(at..at, run));
        }
        What::Truncate => bytes.truncate(at),
        What::Splice { from, length } => {
            let from = if donor.is_empty() { 0 } else { from.index(donor.len()) };
            let end = from.saturating_add(*length).min(donor.len());
            overwrite(bytes, at, donor.get(from..end).unwrap_or_default());
        }
        What::DropField | What::RepeatField => {}
    }
}

fn change(bytes: &mut [u8], at: usize, to: impl Fn(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = to(*byte);
    }
}

/// As far as there is room.
fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
        *byte = *new;
    }
}
