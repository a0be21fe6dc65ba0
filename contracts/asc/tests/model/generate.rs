//! What happens next: chosen by what there is, right and wrong about half of the time.

mod operators;
mod owners;
mod requests;

use kms_asc_api::State;
use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

use crate::model::{Model, Request};
use crate::step::{Msg, Step};
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
        (36, requests::submit(model)),
        (16, send(people(), operators::round(model))),
        (
            12,
            send(
                people(),
                proptest::collection::vec(operators::item(model), 1..4).prop_map(Msg::Responses).boxed(),
            ),
        ),
        (8, send(people(), operators::failures(model))),
        (7, send(people(), proptest::collection::vec(closable(model), 1..4).prop_map(Msg::Close).boxed())),
        (5, cancel(model)),
        (5, withdraw(model)),
        (24, owners::key_message(model)),
        (14, send(by(&model.admin), owners::governance(model))),
        (2, send(by(model.proposed.as_deref().unwrap_or("")), Just(Msg::Office).boxed())),
    ])
}

fn to() -> Any<Who> {
    prop_oneof![12 => 0u8..=APP, 1 => Just(9u8), 1 => Just(NOBODY)].boxed()
}

fn receiver() -> Any<Option<Who>> {
    proptest::option::of(to()).boxed()
}

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
