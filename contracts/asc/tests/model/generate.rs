//! What happens next: chosen by what there is, right and wrong about half of the time.

use kms_asc_api::{
    CiphertextFormat, EpochId, EpochMode, FheType, KeyId, KeyParams, KeyRecord, KeyState, Operation, State,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

use crate::model::{Model, Request};
use crate::step::{
    Asked, Change, Ct, Domain, EpochFault, Funds, Item, Msg, Op, Origin, Said, Sig, Source, Step,
};
use crate::world::{ADMIN, APP, NOBODY, SHAPES, Who, address};

/// The model as proptest sees it.
pub struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        (0..SHAPES.len()).prop_map(Model::new).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Step> {
        any_of(vec![
            (9, wait(model)),
            (2, (0..=APP, any::<bool>()).prop_map(|(who, blocked)| Step::Block { who, blocked }).boxed()),
            (1, any::<bool>().prop_map(Step::AppFails).boxed()),
            (1, gift()),
            (90, message(model)),
        ])
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        model.step(step);
        model
    }
}

type Any<T> = BoxedStrategy<T>;

fn any_of<T: std::fmt::Debug + 'static>(choices: Vec<(u32, Any<T>)>) -> Any<T> {
    proptest::strategy::Union::new_weighted(choices).boxed()
}

/// Mostly one of these; of none, and sometimes, something else.
fn mostly<T: Clone + std::fmt::Debug + 'static>(
    these: Vec<T>,
    weight: u32,
    else_: impl Strategy<Value = T> + 'static,
) -> Any<T> {
    if these.is_empty() {
        return else_.boxed();
    }
    any_of(vec![(weight, select(these).boxed()), (1, else_.boxed())])
}

fn wait(model: &Model) -> Any<Step> {
    let pending = model.requests.iter().filter(|request| request.state == State::Pending);
    // To the very second of an end or a half time, and to the one before.
    let moments = pending.flat_map(|request| {
        let half = request.body.time + (request.end().saturating_sub(request.body.time)).div_ceil(2);
        [request.end(), request.end().saturating_sub(1), half, half.saturating_sub(1)]
    });
    let ahead = moments.filter_map(|moment| moment.checked_sub(model.now)).filter(|seconds| *seconds < 1000);
    mostly(ahead.collect(), 1, prop_oneof![4 => 0u64..4, 2 => Just(10u64), 1 => Just(30), 1 => 60u64..300])
        .prop_map(Step::Wait)
        .boxed()
}

fn gift() -> Any<Step> {
    (0..=APP, 1u128..500, any::<bool>())
        .prop_map(|(from, amount, other)| Step::Gift { from, amount, other })
        .boxed()
}

fn people() -> Any<Who> {
    prop_oneof![6 => 0u8..3, 1 => Just(ADMIN), 1 => Just(4u8), 2 => 5u8..7, 3 => Just(APP)].boxed()
}

/// Mostly this one.
fn by(who: &str) -> Any<Who> {
    let found = (0..=APP).filter(|number| address(*number) == who).collect();
    mostly(found, 5, people())
}

fn send(sender: Any<Who>, msg: Any<Msg>) -> Any<Step> {
    let stray = prop_oneof![40 => Just(false), 1 => Just(true)];
    (sender, stray, msg).prop_map(|(sender, stray, msg)| Step::Send { sender, stray, msg }).boxed()
}

fn message(model: &Model) -> Any<Step> {
    any_of(vec![
        (36, submit(model)),
        (16, send(people(), round(model))),
        (12, send(people(), proptest::collection::vec(item(model), 1..4).prop_map(Msg::Responses).boxed())),
        (8, send(people(), failures(model))),
        (7, send(people(), proptest::collection::vec(closable(model), 1..4).prop_map(Msg::Close).boxed())),
        (5, cancel(model)),
        (5, withdraw(model)),
        (24, key_message(model)),
        (14, send(by(&model.admin), governance(model))),
        (2, send(by(model.proposed.as_deref().unwrap_or("")), Just(Msg::Office).boxed())),
    ])
}

fn to() -> Any<Who> {
    prop_oneof![12 => 0u8..=APP, 1 => Just(9u8), 1 => Just(NOBODY)].boxed()
}

fn receiver() -> Any<Option<Who>> {
    proptest::option::of(to()).boxed()
}

// Requests.

fn ids(model: &Model, wanted: impl Fn(&Request) -> bool) -> Vec<u64> {
    model.requests.iter().filter(|request| wanted(request)).map(|request| request.body.id.get()).collect()
}

fn request_id(model: &Model) -> Any<u64> {
    let pending = ids(model, |request| request.state == State::Pending);
    mostly(pending, 3, 0..=model.next_id())
}

/// One that can be closed, if there is any.
fn closable(model: &Model) -> Any<u64> {
    let revoked = |request: &Request| {
        let epoch = request.body.epoch.and_then(|epoch| model.epoch(epoch.get()));
        epoch.is_some_and(|epoch| epoch.revoked_at.is_some())
    };
    let ended = |request: &Request| {
        request.state == State::Pending && (model.now >= request.end() || revoked(request))
    };
    mostly(ids(model, ended), 2, request_id(model))
}

/// One at whose half time, or a second before, it is now, if there is any.
fn at_half_time(model: &Model) -> Any<u64> {
    let halved = |request: &Request| {
        let half = request.body.half_time().unwrap_or(0);
        request.state == State::Pending && (model.now == half || model.now + 1 == half)
    };
    mostly(ids(model, halved), 4, request_id(model))
}

fn key_id(model: &Model) -> Any<u64> {
    mostly(model.keys.keys().copied().collect(), 14, 0u64..30)
}

/// By whoever may, more often than by somebody.
fn submit(model: &Model) -> Any<Step> {
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

// Operators.

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

fn item(model: &Model) -> Any<Item> {
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
fn round(model: &Model) -> Any<Msg> {
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

fn failures(model: &Model) -> Any<Msg> {
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

fn cancel(model: &Model) -> Any<Step> {
    let model = model.clone();
    request_id(&model)
        .prop_flat_map(move |id| {
            let who = model.request(id).map(|request| request.body.requester.clone()).unwrap_or_default();
            send(by(&who), Just(Msg::Cancel(id)).boxed())
        })
        .boxed()
}

fn withdraw(model: &Model) -> Any<Step> {
    let creditors = model.credits.keys().filter_map(|who| (0..=APP).find(|number| address(*number) == *who));
    let sender = mostly(creditors.collect(), 5, people());
    send(sender, receiver().prop_map(|to| Msg::Withdraw { to }).boxed())
}

// Owners and the admin.

fn key_message(model: &Model) -> Any<Step> {
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

fn governance(model: &Model) -> Any<Msg> {
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
