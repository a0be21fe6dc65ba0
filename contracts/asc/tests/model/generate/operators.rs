//! What operators post.

use kms_asc_api::Operation;
use proptest::prelude::*;

use super::{Any, at_half_time, request_id};
use crate::model::Model;
use crate::step::{Item, Msg, Said, Sig};

fn sig() -> Any<Sig> {
    prop_oneof![30 => Just(Sig::Right), 1 => Just(Sig::Stranger), 1 => Just(Sig::Twisted), 1 => Just(Sig::Short)].boxed()
}

fn said() -> Any<Said> {
    prop_oneof![
        16 => Just(Said::Answer(0)),
        4 => Just(Said::Answer(1)),
        2 => Just(Said::Known),
        1 => Just(Said::Formless),
    ]
    .boxed()
}

fn place(model: &Model, id: u64) -> Any<(u32, u32)> {
    let epoch = model.request(id).and_then(|request| request.body.epoch).map_or(1, |epoch| epoch.get());
    let parties = model.epoch(epoch).map_or(1, |epoch| u32::try_from(epoch.parties.len()).unwrap());
    let newest = model.newest().id.get();
    prop_oneof![
        16 => (Just(epoch), 1..=parties),
        1 => (0..=newest + 1, 1..=parties),
        1 => (Just(epoch), 0u32..9),
    ]
    .boxed()
}

/// `0x00` to an input goes without external signature.
fn external(model: &Model, id: u64, said: Said, sig: Sig) -> Sig {
    let input =
        model.request(id).is_some_and(|request| matches!(request.operation(), Operation::VerifyInput(_)));
    if input && matches!(said, Said::Known) && sig == Sig::Right { Sig::None } else { sig }
}

pub(super) fn item(model: &Model) -> Any<Item> {
    let model = model.clone();
    let said = prop_oneof![30 => said(), 1 => Just(Said::Huge)];
    let external_sig = prop_oneof![30 => sig(), 1 => Just(Sig::None)];
    (request_id(&model), said, sig(), external_sig)
        .prop_flat_map(move |(request, said, receipt, sig)| {
            let external = external(&model, request, said, sig);
            place(&model, request).prop_map(move |(epoch, party)| Item {
                request,
                epoch,
                party,
                said,
                receipt,
                external,
            })
        })
        .boxed()
}

/// All operators of a request answer alike, as they mostly do.
pub(super) fn round(model: &Model) -> Any<Msg> {
    let model = model.clone();
    (request_id(&model), said(), any::<u8>())
        .prop_map(move |(request, said, absent)| {
            let epoch =
                model.request(request).and_then(|request| request.body.epoch).map_or(1, |epoch| epoch.get());
            let parties = model.epoch(epoch).map_or(1, |epoch| epoch.parties.len());
            let external = external(&model, request, said, Sig::Right);
            let items = (1..=u32::try_from(parties).unwrap()).filter(|party| u32::from(absent) % 8 != *party);
            Msg::Responses(
                items
                    .map(|party| Item { request, epoch, party, said, receipt: Sig::Right, external })
                    .collect(),
            )
        })
        .boxed()
}

pub(super) fn failures(model: &Model) -> Any<Msg> {
    let model = model.clone();
    let code = prop_oneof![3 => Just(4u32), 2 => Just(2u32), 3 => Just(5u32), 1 => Just(1u32), 4 => 0u32..14, 1 => Just(300u32)];
    let index = prop_oneof![6 => Just(65_535u32), 3 => Just(0u32), 1 => 1u32..4, 1 => Just(65_536u32)];
    let one =
        (at_half_time(&model), code, index, sig()).prop_flat_map(move |(request, code, index, receipt)| {
            let said = Said::Failure { code, index };
            place(&model, request).prop_map(move |(epoch, party)| Item {
                request,
                epoch,
                party,
                said,
                receipt,
                external: Sig::None,
            })
        });
    proptest::collection::vec(one, 1..4).prop_map(Msg::Failures).boxed()
}
