//! What the admin can never do, whatever he sends: every message of his against every forbidden effect.

use cosmwasm_std::{Addr, Uint128};
use kms_asc_api::{
    Answer, CloseOutcome, Config, Eip712Domain, Epoch, EpochId, ExecuteMsg, FailureCode, ItemOutcome, KeyId,
    PartyId, RequestId, State,
};

use crate::suite::{
    DENOM, START, Snapshot, Suite, SuiteBuilder, account, ciphertext, payout, public_decrypt, terms, word,
};

/// A contract in the midst of its work, and what was so before the admin spoke.
struct Scene {
    suite: Suite,
    before: Snapshot,
    key_id: KeyId,
    /// Past its end, and not closed.
    due: RequestId,
    /// Waiting for its third answer.
    half: RequestId,
    /// Whose refund the bank refused, so that it is credit.
    unlucky: Addr,
    code_id: u64,
}

/// One request in each state there is; credit, escrow, treasury and surplus; code that may run; an office offered.
fn scene() -> Scene {
    let mut suite = SuiteBuilder::threshold().config(|c| c.migration_delay = 0).build();
    let (owner, admin, unlucky) = (suite.owner(), suite.admin(), suite.stranger());
    let key_id = suite.key();
    let [answered, failed, cancelled, due] = [(); 4].map(|()| suite.decryption(key_id));
    suite.respond((1..=3).map(|party| suite.answer(answered, party, &word(7))).collect());
    suite.report((1..=3).map(|party| suite.failure(failed, party, FailureCode::WrongType, 0)).collect());
    suite.done(&owner, &ExecuteMsg::Cancel { request_id: cancelled });
    suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    let refused = suite.request(&unlucky, crate::suite::key_gen());
    suite.block_address(&unlucky);
    suite.at(START + 60);
    suite.close(&[cancelled, refused]);
    suite.unblock_address(&unlucky);
    let half = suite.decryption(key_id);
    suite.respond((1..=2).map(|party| suite.answer(half, party, &word(7))).collect());
    suite.give(5000, DENOM);
    suite.give(33, "uother");
    let code_id = suite.announce_code();
    suite.done(&admin, &ExecuteMsg::ProposeAdmin { admin: admin.to_string() });
    let before = Snapshot::take(&suite);
    let mut states: Vec<_> = before.statuses.values().map(|status| status.state.number()).collect();
    states.sort_unstable();
    states.dedup();
    assert_eq!(states.len(), State::ALL.len(), "one in each state");
    assert!(before.totals.escrow.u128() > 0 && before.totals.treasury.u128() > 0);
    Scene { suite, before, key_id, due, half, unlucky, code_id }
}

/// Messages in order, each with whether the contract takes it.
type Act = Vec<(ExecuteMsg, bool)>;

/// Everything that an admin can say, and the worst of it.
fn acts(scene: &Scene) -> Vec<Act> {
    let (suite, admin) = (&scene.suite, scene.suite.admin());
    let all = scene.before.totals;
    let treasury = |amount: Uint128| ExecuteMsg::WithdrawTreasury { to: None, amount };
    let sweep = |denom: &str| ExecuteMsg::SweepSurplus { denom: denom.to_owned(), to: None };
    let domain = |domain: Eip712Domain| ExecuteMsg::RegisterDomain { key_id: scene.key_id, domain };
    let other_domain = Eip712Domain { name: "Other".to_owned(), ..suite.default_domain(scene.key_id) };
    let code = |code_id, like| ExecuteMsg::ScheduleMigration { code_id, checksum: suite.checksum(like) };
    let single: Act = vec![
        (set_epoch(suite, 2), true),
        (set_epoch(suite, 1), false),
        (ExecuteMsg::RevokeEpoch { epoch: EpochId(1) }, true),
        (update(suite, greedy), true),
        (update(suite, strangling), true),
        (update(suite, |c| c.denom = "uother".to_owned()), false),
        (domain(other_domain), true),
        (domain(suite.default_domain(scene.key_id)), false),
        (ExecuteMsg::Pause {}, true),
        (ExecuteMsg::Unpause {}, true),
        (treasury(all.treasury), true),
        (treasury(all.treasury + Uint128::new(1)), false),
        (treasury(all.treasury + all.credits + all.escrow), false),
        (treasury(Uint128::MAX), false),
        (sweep(DENOM), true),
        (sweep("uother"), true),
        (code(scene.code_id, scene.code_id), true),
        (code(suite.code_id + 99, scene.code_id), false),
        (ExecuteMsg::MigrateNow {}, true),
        (ExecuteMsg::ProposeAdmin { admin: account("next").to_string() }, true),
        (ExecuteMsg::AcceptAdmin {}, true),
    ];
    let sequence = vec![
        (update(suite, greedy), true),
        (set_epoch(suite, 2), true),
        (ExecuteMsg::RevokeEpoch { epoch: EpochId(1) }, true),
        (ExecuteMsg::Pause {}, true),
        (treasury(all.treasury), true),
        (sweep(DENOM), true),
        (ExecuteMsg::MigrateNow {}, true),
        (treasury(Uint128::new(1)), false),
        (sweep(DENOM), false),
        (ExecuteMsg::ProposeAdmin { admin: admin.to_string() }, true),
        (ExecuteMsg::AcceptAdmin {}, true),
    ];
    // Others' messages about money and requests are no more his for his office.
    let as_anybody = vec![
        (ExecuteMsg::Cancel { request_id: scene.half }, false),
        (ExecuteMsg::Withdraw { to: None }, false),
        (ExecuteMsg::OfferKey { key_id: scene.key_id, to: account("next").to_string() }, false),
        (ExecuteMsg::SetKeyState { key_id: scene.key_id, state: kms_asc_api::KeyState::Suspended }, false),
        (ExecuteMsg::Grant { key_id: scene.key_id, grantee: admin.to_string(), until: None }, false),
    ];
    single.into_iter().map(|message| vec![message]).chain([sequence, as_anybody]).collect()
}

/// Operators of his own, all paid to himself.
fn set_epoch(suite: &Suite, id: u32) -> ExecuteMsg {
    let mut epoch = Epoch { id: EpochId(id), ..terms::epoch(kms_asc_api::EpochMode::Threshold, 4, 1, 3) };
    for (party, own) in epoch.parties.iter_mut().zip(91..) {
        party.signer = terms::party(own).signer;
        party.payout = suite.admin().to_string();
    }
    ExecuteMsg::SetEpoch { epoch: Box::new(epoch) }
}

fn update(suite: &Suite, change: impl FnOnce(&mut Config)) -> ExecuteMsg {
    let mut config = suite.config.clone();
    change(&mut config);
    ExecuteMsg::UpdateConfig { config: Box::new(config) }
}

/// All to the treasury, nothing to operators, and every price and fee as high as it goes.
fn greedy(config: &mut Config) {
    (config.operator_share_bps, config.failure_fee) = (0, Uint128::zero());
    config.per_callback_kgas = Uint128::MAX;
}

/// Limits, times and waits that make everything as hard as the rules allow.
fn strangling(config: &mut Config) {
    (config.ttl_min, config.ttl_default, config.ttl_max) = (u64::MAX, u64::MAX, u64::MAX);
    config.cancel_delay = u64::MAX;
    (config.limits.ciphertexts, config.limits.bytes, config.limits.pending_per_requester) = (1, 1, 1);
    (config.limits.payload, config.limits.page, config.limits.callback_gas) = (128, 1, 0);
}

/// An effect that must not be: the check fails if the act had it.
type Effect = (&'static str, fn(&mut Scene));

const FORBIDDEN: [Effect; 6] = [
    ("touching escrow or credit", |scene| {
        let after = Snapshot::take(&scene.suite);
        assert_eq!(after.totals.escrow, scene.before.totals.escrow);
        assert_eq!(after.totals.credits, scene.before.totals.credits);
        assert_eq!(after.credits, scene.before.credits);
        let owed = after.totals.owed().unwrap().u128();
        assert!(scene.suite.balance(&scene.suite.contract) >= owed);
    }),
    ("rewriting log, bodies or answers", |scene| {
        let after = Snapshot::take(&scene.suite);
        assert!(scene.before.log.iter().all(|(seq, entry)| after.log.get(seq) == Some(entry)));
        assert_eq!(after.bodies, scene.before.bodies);
        assert_eq!(after.responses, scene.before.responses);
    }),
    ("reopening what is finished", |scene| {
        let finished = scene.before.statuses.iter().filter(|(_, status)| status.state.is_terminal());
        for (id, status) in finished {
            let id = RequestId(*id);
            assert_eq!(scene.suite.close(&[id]), [CloseOutcome::Already(status.state)]);
            if status.state != State::Denied {
                let answer = scene.suite.answer(id, 4, &word(7));
                let outcome = scene.suite.respond(vec![answer]).remove(0);
                assert!(matches!(outcome, ItemOutcome::Late), "{id}: {outcome}");
            }
            assert_eq!(scene.suite.view(id).state, status.state);
        }
    }),
    ("stopping close and refunds", |scene| {
        let owner = scene.suite.owner();
        let before = scene.suite.balance(&owner);
        assert_eq!(scene.suite.close(&[scene.due]), [CloseOutcome::Closed(State::Expired)]);
        assert_eq!(scene.suite.balance(&owner), before + 117);
        scene.suite.at(START + 120);
        let outcome = scene.suite.close(&[scene.half]);
        assert!(matches!(outcome[..], [CloseOutcome::Closed(State::Expired | State::Failed)]), "{outcome:?}");
        assert_eq!(scene.suite.balance(&owner), before + 2 * 117);
    }),
    ("stopping withdrawal", |scene| {
        for address in [payout(1), payout(3), scene.unlucky.clone()] {
            let credit = scene.before.credits[address.as_str()];
            let before = scene.suite.balance(&address);
            scene.suite.withdraw(&address, None).unwrap();
            assert_eq!(scene.suite.balance(&address), before + credit);
        }
    }),
    ("answering in the operators' place", |scene| {
        let forged = |suite: &Suite, epoch| Answer {
            epoch,
            party: PartyId(3),
            ..suite.answer_signed_by(scene.half, 3, 93, &word(8))
        };
        let answers = [EpochId(1), EpochId(2)].map(|epoch| forged(&scene.suite, epoch)).to_vec();
        let outcomes = scene.suite.respond(answers);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, ItemOutcome::Rejected(_))), "{outcomes:?}");
    }),
];

#[test]
fn no_message_of_the_admin_has_an_effect_that_is_forbidden() {
    let count = acts(&scene()).len();
    for position in 0..count {
        for (effect, check) in FORBIDDEN {
            let mut scene = scene();
            let act = acts(&scene).swap_remove(position);
            let names: Vec<_> = act.iter().map(|(message, _)| message.name()).collect();
            println!("act {position} {names:?} against {effect}");
            let admin = scene.suite.admin();
            for (message, taken) in &act {
                let result = scene.suite.execute(&admin, message, &[]);
                assert_eq!(result.is_ok(), *taken, "{}: {result:?}", message.name());
            }
            check(&mut scene);
        }
    }
}

/// The check itself can fail: what the admin did to a state by hand is found.
#[test]
fn the_checks_find_what_they_look_for() {
    use kms_asc_api::state_key;
    let caught = |change: fn(&mut Scene), effect: usize| {
        let mut scene = scene();
        change(&mut scene);
        let check = FORBIDDEN[effect].1;
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mut scene)));
        assert!(result.is_err(), "{} was not found", FORBIDDEN[effect].0);
    };
    caught(
        |scene| {
            let address = payout(1);
            scene.suite.change_state(|s| state_key::CREDIT.save(s, &address, &Uint128::new(1)).unwrap());
        },
        0,
    );
    caught(|scene| scene.suite.change_state(|s| state_key::LOG.save(s, 1, b"{}")), 1);
    caught(
        |scene| {
            scene.suite.change_state(|s| {
                let body = state_key::REQUEST.may_load(s, 1).unwrap();
                state_key::REQUEST.save(s, 1, &[&body[..], b" "].concat());
            });
        },
        1,
    );
    caught(
        |scene| {
            scene.suite.change_state(|s| {
                let mut status =
                    kms_asc_api::Status::decode(&state_key::STATUS.may_load(s, 2).unwrap()).unwrap();
                status.state = State::Pending;
                state_key::STATUS.save(s, 2, &status.encode());
            });
        },
        2,
    );
}
