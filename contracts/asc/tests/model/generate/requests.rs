//! What is asked for, and with what.

use kms_asc_api::{CiphertextFormat, EpochMode, FheType, KeyParams, Operation, State};
use proptest::prelude::*;

use super::{Any, any_of, by, ids, key_id, mostly, people, send};
use crate::model::{Model, Request};
use crate::step::{Asked, Ct, Domain, Funds, Msg, Op, Origin, Source, Step};
use crate::world::{APP, Who};

/// By whoever may, more often than by somebody.
pub(super) fn submit(model: &Model) -> Any<Step> {
    let model = model.clone();
    operation(&model)
        .prop_flat_map(move |op| {
            let key = match &op {
                Op::Key { source: Source::Takeover(key), .. }
                | Op::Public { key, .. }
                | Op::User { key, .. } => model.keys.get(key),
                _ => None,
            };
            let sender = key.map_or_else(people, |key| by(&key.owner));
            sender.prop_flat_map(move |sender| submission(sender, op.clone()))
        })
        .boxed()
}

fn submission(sender: Who, op: Op) -> Any<Step> {
    let ttl = prop_oneof![
        20 => Just(None),
        20 => (5u64..40).prop_map(Some),
        1 => Just(Some(4)),
        1 => Just(Some(601)),
    ];
    let called = if sender == APP { 30 } else { 1 };
    let gas = prop_oneof![
        30 => Just(None),
        called => (1u64..9000).prop_map(Some),
        1 => prop_oneof![Just(Some(0)), Just(Some(600_000))],
    ];
    let funds = prop_oneof![
        30 => Just(Funds::Exactly),
        15 => (1u128..300).prop_map(Funds::More),
        1 => (1u128..300).prop_map(Funds::Less),
        1 => prop_oneof![Just(Funds::Other), Just(Funds::Both)],
    ];
    let msg = (ttl, gas, funds).prop_map(move |(ttl, callback, funds)| {
        let request = Asked { op: op.clone(), ttl, callback, funds };
        // Each key of one message would have another domain.
        let alone = matches!(request.op, Op::Key { .. });
        match ttl {
            Some(seconds) if seconds % 4 == 0 && !alone => {
                Msg::Together(request, if seconds % 8 == 0 { 2 } else { 3 })
            }
            _ => Msg::Submit(request),
        }
    });
    send(Just(sender).boxed(), msg.boxed())
}

fn operation(model: &Model) -> Any<Op> {
    let made = if model.keys.len() < 2 { 12 } else { 2 };
    let strings = if model.crs.is_empty() { 4 } else { 1 };
    // Elements of verified inputs are seldom to be had: users ask for them when they are.
    let verified =
        |r: &Request| matches!(r.operation(), Operation::VerifyInput(_)) && r.state == State::Fulfilled;
    let users = if model.requests.iter().any(verified) { 20 } else { 6 };
    any_of(vec![
        (made, key_gen(model)),
        (strings, crs_gen()),
        (7, public(model)),
        (users, user(model)),
        (8, input(model)),
    ])
}

fn key_gen(model: &Model) -> Any<Op> {
    let generate = if model.newest().mode == EpochMode::Replicated { 1 } else { 6 };
    let newest = model.newest().id;
    let older =
        model.keys.iter().filter(|(_, key)| key.epoch < newest).map(|(id, _)| *id).collect::<Vec<_>>();
    let takeover = if older.is_empty() { 1 } else { 9 };
    let source = any_of(vec![
        (generate, Just(Source::Generate).boxed()),
        (3, (0u8..40, 0u8..40).prop_map(|(a, b)| Source::Import(a, b)).boxed()),
        (takeover, mostly(older, 9, key_id(model)).prop_map(Source::Takeover).boxed()),
    ]);
    let keys = model.keys.clone();
    (prop_oneof![9 => Just(false), 1 => Just(true)], source)
        .prop_map(move |(odd, source)| {
            // A takeover names the key's own set of parameters, mostly.
            let test = match source {
                Source::Takeover(key) => keys.get(&key).is_some_and(|key| key.params == KeyParams::Test),
                _ => false,
            };
            Op::Key { test: test != odd, source }
        })
        .boxed()
}

fn crs_gen() -> Any<Op> {
    let bits = prop_oneof![8 => Just(2048u32), 1 => Just(0), 1 => Just(4096), 1 => Just(4097)];
    (bits, proptest::option::of(0u8..40)).prop_map(|(bits, import)| Op::Crs { bits, import }).boxed()
}

fn domain(model: &Model) -> Any<Domain> {
    let next = model.next_id();
    prop_oneof![
        40 => Just(Domain::Own),
        4 => (0u8..3).prop_map(Domain::Numbered),
        1 => key_id(model).prop_map(Domain::DefaultOf),
        1 => (next..next + 3).prop_map(Domain::DefaultOf),
        1 => Just(Domain::TooLong),
    ]
    .boxed()
}

fn public(model: &Model) -> Any<Op> {
    let extra = prop_oneof![20 => 0usize..3, 1 => Just(1024usize), 1 => Just(1025usize)];
    (ciphertexts(model), domain(model), extra)
        .prop_map(|((key, ciphertexts), domain, extra)| Op::Public { key, ciphertexts, domain, extra })
        .boxed()
}

fn user(model: &Model) -> Any<Op> {
    let user = prop_oneof![40 => 210u8..212, 1 => Just(0u8)];
    let signer = prop_oneof![30 => Just(None), 1 => (210u8..213).prop_map(Some)];
    let apps = prop_oneof![
        40 => proptest::sample::subsequence(vec![0u8, 1, 2], 1..=3),
        1 => Just(vec![]),
        1 => Just(vec![1, 1]),
        1 => Just((1..=17).collect::<Vec<u8>>()),
    ];
    let from = prop_oneof![30 => -5000i64..=0, 1 => 1i64..5, 1 => Just(-86_400i64), 1 => Just(-86_399i64)];
    let days = prop_oneof![40 => Just(1u64), 2 => Just(365), 1 => Just(0), 1 => Just(366)];
    let good_key = prop_oneof![20 => Just(true), 1 => Just(false)];
    (ciphertexts(model), domain(model), user, signer, (apps, from, days, good_key))
        .prop_map(|((key, ciphertexts), domain, user, signer, (apps, from, days, good_key))| Op::User {
            key,
            ciphertexts,
            domain,
            user,
            signer: signer.unwrap_or(user.max(1)),
            apps,
            from,
            days,
            good_key,
        })
        .boxed()
}

fn input(model: &Model) -> Any<Op> {
    let allowed: Vec<(u64, u64)> =
        model.keys.iter().flat_map(|(id, key)| key.crs_ids.iter().map(|crs| (*id, crs.get()))).collect();
    let crs = mostly(model.crs.keys().copied().collect(), 10, 0u64..20);
    let pair = mostly(allowed, 6, (key_id(model), crs));
    let size = prop_oneof![20 => 800u64..3000, 1 => Just(0u64), 1 => Just(20_000u64), 1 => Just(20_001u64)];
    let user = prop_oneof![14 => 210u8..212, 1 => Just(0u8)];
    (pair, 0u8..4, size, user, 0u8..3, domain(model))
        .prop_map(|((key, crs), number, size, user, app, domain)| Op::Input {
            key,
            crs,
            number,
            size,
            user,
            app,
            domain,
        })
        .boxed()
}

const TYPES: [FheType; 6] =
    [FheType::Bool, FheType::Uint8, FheType::Uint64, FheType::Uint160, FheType::Uint256, FheType::Uint512];

/// A key, and ciphertexts with evidence that fits it more often than not.
fn ciphertexts(model: &Model) -> Any<(u64, Vec<Ct>)> {
    let model = model.clone();
    key_id(&model)
        .prop_flat_map(move |key| {
            let one = ciphertext(&model, key);
            let some = any_of(vec![
                (14, proptest::collection::vec(one.clone(), 1).boxed()),
                (8, proptest::collection::vec(one.clone(), 2..4).boxed()),
                (1, Just(vec![]).boxed()),
                (1, proptest::collection::vec(one, 4..6).boxed()),
            ]);
            (Just(key), some)
        })
        .boxed()
}

fn ciphertext(model: &Model, key: u64) -> Any<Ct> {
    let odd_size =
        prop_oneof![40 => Just(None), 1 => Just(Some(0u64)), 1 => Just(Some(9000)), 1 => Just(Some(20_000))];
    let good_handle = prop_oneof![40 => Just(true), 1 => Just(false)];
    let index = prop_oneof![8 => Just(0u16), 2 => 1u16..3];
    (0u8..6, odd_size, good_handle, index, 0usize..30, origin(model, key))
        .prop_map(|(number, size, good_handle, index, format, origin)| {
            let verified = matches!(origin, Origin::Verified { .. });
            let format = match format {
                0 => CiphertextFormat::Raw,
                1..=29 if verified => CiphertextFormat::Compact,
                n if n % 2 == 0 && index == 0 => CiphertextFormat::Raw,
                _ => CiphertextFormat::Compressed,
            };
            let fhe_type = TYPES[usize::from(number)];
            let size = size.unwrap_or(700 + u64::from(number) * 300);
            Ct { number, size, fhe_type, format, index, good_handle, origin }
        })
        .boxed()
}

fn origin(model: &Model, key: u64) -> Any<Origin> {
    let fits = |request: &Request| match request.operation() {
        Operation::VerifyInput(input) => input.key_id.get() == key && request.state == State::Fulfilled,
        _ => false,
    };
    let inputs = ids(model, fits);
    let vouched = model.keys.get(&key).is_some_and(|key| key.attester_threshold > 0);
    let twisted = || prop_oneof![14 => Just(false), 1 => Just(true)];
    let verified_weight = if inputs.is_empty() { 1 } else { 14 };
    let verified = (mostly(inputs, 9, 0..=model.next_id()), twisted())
        .prop_map(|(request, twisted)| Origin::Verified { request, twisted });
    let until = prop_oneof![9 => 0i64..1000, 1 => -3i64..0];
    let seeds = prop_oneof![
        9 => proptest::sample::subsequence(vec![200u8, 201, 202], 2..=3),
        3 => proptest::sample::subsequence(vec![200u8, 201, 202, 203], 0..=4),
        2 => (200u8..203).prop_map(|seed| vec![seed]),
        1 => Just(vec![200, 200]),
    ];
    let sorted = prop_oneof![9 => Just(true), 1 => Just(false)];
    let user = prop_oneof![2 => Just(0u8), 2 => 210u8..212];
    let attested = (user, 0u8..3, until, seeds, sorted, twisted()).prop_map(
        |(user, app, until, seeds, sorted, twisted)| Origin::Attested {
            user,
            app,
            until,
            seeds,
            sorted,
            twisted,
        },
    );
    any_of(vec![
        (5, Just(Origin::Unproven).boxed()),
        (verified_weight, verified.boxed()),
        (if vouched { 5 } else { 1 }, attested.boxed()),
    ])
}
