//! Runs of many cases, each with a seed of its own, so that any of them is played again alone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use kms_asc_api::{DenialReason, Digest, State};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use crate::chain::{Chain, Code};
use crate::generate::Machine;
use crate::model::{ItemExpected, Model, Outcome};
use crate::step::Step;

/// Steps of one case.
pub const LENGTH: usize = 200;

/// How often each kind of message was accepted and refused, by name.
pub type Tally = BTreeMap<String, (u64, u64)>;

/// Plays one case. If contract and model differ, gives the shortest steps found that show it.
pub fn play(code: Code, seed: u64, case: u64, shrink: bool, tally: &mut Tally) -> Result<(), String> {
    let counted = RefCell::new(std::mem::take(tally));
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: if shrink { 4_000 } else { 0 },
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let rng_seed = Digest::sha256(format!("seed {seed} case {case}").as_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, rng_seed.as_bytes());
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = Machine::sequential_strategy(LENGTH..=LENGTH);
    let result = runner.run(&strategy, |(model, steps, seen)| {
        let saw = |step: &Step, model: &Model| {
            if let (Some(seen), true) = (&seen, shrink) {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            count(&mut counted.borrow_mut(), step, model);
        };
        let compared =
            compare(code, model, &steps, saw, |model| count_ends(&mut counted.borrow_mut(), model));
        compared.map_err(TestCaseError::fail)
    });
    *tally = counted.into_inner();
    result.map_err(|error| match error {
        TestError::Abort(reason) => format!("seed {seed}, case {case}: {reason}"),
        TestError::Fail(reason, (model, steps, _)) => {
            let steps: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
            let steps = steps.join("\n");
            format!("seed {seed}, case {case}, from {model:?}: {reason}\nafter these steps:\n{steps}")
        }
    })
}

fn compare(
    code: Code,
    mut model: Model,
    steps: &[Step],
    mut saw: impl FnMut(&Step, &Model),
    mut ended: impl FnMut(&Model),
) -> Result<(), String> {
    let shape = crate::world::SHAPES.iter().position(|shape| {
        let epoch = &model.epochs[0];
        (shape.0, shape.1, shape.2) == (epoch.mode, u32::try_from(epoch.parties.len()).unwrap(), epoch.faulty)
    });
    let mut chain = Chain::new(code, shape.unwrap());
    for step in steps {
        let before = model.clone();
        model.step(step);
        saw(step, &model);
        chain.step(&before, step, &model)?;
        chain.compare(&model)?;
    }
    ended(&model);
    Ok(())
}

/// Notes what became of a message, and of each of its items.
fn count(tally: &mut Tally, step: &Step, model: &Model) {
    let Step::Send { msg, .. } = step else { return };
    let text = format!("{msg:?}");
    let name: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    let mut note = |name: &str, accepted: bool| {
        let (yes, no) = tally.entry(name.to_owned()).or_default();
        *if accepted { yes } else { no } += 1;
    };
    note(&name, !matches!(model.expected.outcome, Outcome::Refused(_)));
    match &model.expected.outcome {
        Outcome::Items(items) => items.iter().for_each(|item| match item {
            ItemExpected::Is(outcome) => note(&format!("item {outcome}"), true),
            ItemExpected::RejectedFor(_) => note("item", false),
        }),
        Outcome::Closed(outcomes) => outcomes.iter().for_each(|outcome| note(&outcome.to_string(), true)),
        Outcome::Requests { state, .. } => note(&format!("request {state}"), true),
        _ => {}
    }
    for kind in &model.expected.kinds {
        note(&format!("log {kind}"), true);
    }
}

/// Notes what became of the requests of a case, and why.
fn count_ends(tally: &mut Tally, model: &Model) {
    for request in &model.requests {
        let mut note = |name: String| tally.entry(name).or_default().0 += 1;
        note(format!("{} {}", request.operation().kind(), request.state));
        for code in request.codes.iter().filter(|_| request.state == State::Denied) {
            note(format!("denied for {}", DenialReason::try_from(*code).unwrap()));
        }
    }
}
