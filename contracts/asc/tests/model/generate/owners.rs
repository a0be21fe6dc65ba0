//! What owners of keys and the admin say.

use kms_asc_api::{EpochId, KeyId, KeyRecord, KeyState, Operation, State};
use proptest::prelude::*;

use super::{Any, any_of, by, key_id, mostly, receiver, send, to};
use crate::model::Model;
use crate::step::{Change, Domain, EpochFault, Msg, Step};
use crate::world::{APP, SHAPES, Who, address};

pub(super) fn key_message(model: &Model) -> Any<Step> {
    let model = model.clone();
    key_id(&model)
        .prop_flat_map(move |key| {
            let record = model.keys.get(&key);
            // What becomes of a key while others take it over is decided at the end.
            let moving = model.requests.iter().any(|request| {
                let takeover = matches!(request.operation(), Operation::KeyGen(_));
                takeover
                    && request.state == State::Pending
                    && request.operation().key_id() == Some(KeyId(key))
            });
            let owner = by(record.map_or("", |key| key.owner.as_str()));
            let heir = by(record.and_then(|key| key.offered_to.as_deref()).unwrap_or(""));
            let until = prop_oneof![3 => Just(None), 4 => (0i64..400).prop_map(Some), 1 => Just(Some(-1))];
            let grant = (to(), until).prop_map(move |(to, until)| Msg::Grant { key, to, until });
            let granted: Vec<Who> =
                (0..=APP).filter(|who| model.grants.contains_key(&(key, address(*who)))).collect();
            let revoke = mostly(granted, 5, to()).prop_map(move |to| Msg::Revoke { key, to });
            any_of(vec![
                (5, send(owner.clone(), grant.boxed())),
                (3, send(owner.clone(), revoke.boxed())),
                (4, send(owner.clone(), attesters(key))),
                (5, send(owner.clone(), strings(&model, key))),
                (if moving { 16 } else { 2 }, send(owner.clone(), key_state(key, moving, record))),
                (3, send(owner, to().prop_map(move |to| Msg::Offer { key, to }).boxed())),
                (3, send(heir, Just(Msg::Accept { key }).boxed())),
            ])
        })
        .boxed()
}

fn attesters(key: u64) -> Any<Msg> {
    let good = Just((vec![200u8, 201, 202], 2u32)).boxed();
    let odd =
        (proptest::collection::vec(prop_oneof![9 => 200u8..204, 1 => Just(0u8)], 0..4), 0u32..4).boxed();
    let many = Just(((100u8..133).collect::<Vec<u8>>(), 1u32)).boxed();
    any_of(vec![(6, good), (4, odd), (1, many)])
        .prop_map(move |(seeds, threshold)| Msg::Attesters { key, seeds, threshold })
        .boxed()
}

fn strings(model: &Model, key: u64) -> Any<Msg> {
    let known: Vec<u64> = model.crs.keys().copied().collect();
    let all = Just(known.iter().copied().take(8).collect::<Vec<u64>>()).boxed();
    let some = proptest::collection::vec(mostly(known, 9, 0u64..9), 0..10).boxed();
    any_of(vec![(3, all), (1, some)]).prop_map(move |crs| Msg::Crs { key, crs }).boxed()
}

/// A key on the move is destroyed, by way of its suspension, more often than another.
fn key_state(key: u64, moving: bool, record: Option<&KeyRecord>) -> Any<Msg> {
    let suspended = record.is_some_and(|key| key.state == KeyState::Suspended);
    let state = prop_oneof![
        8 => Just(KeyState::Active),
        (if moving && !suspended { 24 } else { 6 }) => Just(KeyState::Suspended),
        1 => Just(KeyState::Deactivated),
        (if moving && suspended { 40 } else { 1 }) => Just(KeyState::Destroyed),
    ];
    state.prop_map(move |state| Msg::State { key, state }).boxed()
}

pub(super) fn governance(model: &Model) -> Any<Msg> {
    let fault = prop_oneof![
        12 => Just(EpochFault::None),
        1 => Just(EpochFault::Majority),
        1 => Just(EpochFault::SameSigner),
        1 => Just(EpochFault::Numbers),
        1 => Just(EpochFault::Payout),
        1 => Just(EpochFault::NoParties),
        1 => Just(EpochFault::Revoked),
    ];
    let epoch = (prop_oneof![9 => Just(1u32), 1 => Just(0u32), 1 => Just(2u32)], 0..SHAPES.len(), fault)
        .prop_map(|(ahead, shape, fault)| Msg::SetEpoch { ahead, shape, fault });
    let amount = prop_oneof![5 => 1..=model.treasury.max(1), 1 => Just(0u128), 1 => Just(model.treasury + 1)];
    let next = model.next_id();
    let names = prop_oneof![
        6 => (0u8..3).prop_map(Domain::Numbered),
        2 => (next..next + 3).prop_map(Domain::DefaultOf),
        1 => Just(Domain::Own),
        1 => Just(Domain::TooLong),
    ];
    let domain = (key_id(model), names).prop_map(|(key, domain)| Msg::Domain { key, domain });
    let pauses = if model.paused { (1, 20) } else { (1, 1) };
    any_of(vec![
        (6, epoch.boxed()),
        (4, revoked(model)),
        (4, change().prop_map(Msg::Config).boxed()),
        (4, domain.boxed()),
        (pauses.0, Just(Msg::Pause).boxed()),
        (pauses.1, Just(Msg::Unpause).boxed()),
        (2, (receiver(), amount).prop_map(|(to, amount)| Msg::Treasury { to, amount }).boxed()),
        (2, (receiver(), any::<bool>()).prop_map(|(to, other)| Msg::Sweep { to, other }).boxed()),
        (1, any::<bool>().prop_map(|right| Msg::Schedule { right }).boxed()),
        (2, Just(Msg::Migrate).boxed()),
        (1, to().prop_map(|to| Msg::Propose { to }).boxed()),
    ])
}

/// An epoch of which something is asked, more often than any.
fn revoked(model: &Model) -> Any<Msg> {
    let pending = model.requests.iter().filter(|request| request.state == State::Pending);
    let busy = pending.filter_map(|request| request.body.epoch).map(EpochId::get).collect();
    mostly(busy, 2, 0..=model.newest().id.get() + 1).prop_map(Msg::RevokeEpoch).boxed()
}

fn change() -> Any<Change> {
    prop_oneof![
        3 => (120u128..1500).prop_map(Change::Price),
        3 => prop_oneof![5 => 8000u16..10_001, 1 => Just(0u16), 1 => Just(10_001u16)].prop_map(Change::Share),
        2 => (0u128..200).prop_map(Change::Denial),
        2 => (0u128..20).prop_map(Change::Failure),
        1 => prop_oneof![Just(4u64), 5u64..20, Just(61u64)].prop_map(Change::TtlMin),
        1 => prop_oneof![Just(9u64), 10u64..30].prop_map(Change::CancelDelay),
        1 => prop_oneof![4 => 4u32..12, 1 => Just(0u32)].prop_map(Change::Pending),
        2 => (0u128..9).prop_map(Change::CallbackPrice),
        1 => prop_oneof![Just(99u64), Just(100u64), 100u64..120].prop_map(Change::MigrationDelay),
        1 => (1u8..4).prop_map(Change::KeyDomainVersion),
        1 => Just(Change::Denom),
        1 => prop_oneof![Just(0u32), 20u32..40, Just(101u32)].prop_map(Change::Page),
    ]
    .boxed()
}
