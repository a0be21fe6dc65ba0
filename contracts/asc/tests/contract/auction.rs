//! The example of a contract that asks and is called back: a sealed-bid auction on the ASC.

use cosmwasm_std::{Addr, CosmosMsg, WasmMsg, coins, to_json_binary};
use cw_multi_test::{ContractWrapper, Executor};
use kms_asc_api::{
    Ciphertext, CloseOutcome, EndState, FailureCode, FheType, KeyId, KeyState, KmsResult, RequestId, State,
    state_key,
};
use kms_example_sealed_bid::contract;
use kms_example_sealed_bid::msg::{AuctionView, BidView, End, ExecuteMsg, InstantiateMsg, QueryMsg, Seal};

use crate::suite::{DENOM, Done, Refusal, START, Suite, account, typed_ciphertext};

const BIDDING_ENDS: u64 = START + 100;
const OPENING_ENDS: u64 = START + 1000;
/// What the seller pays for decryptions.
const POT: u128 = 10_000;
/// 101 + 10 + 2 KiB of 3, and 200 times 1,000 gas at 2.
const PRICE: u128 = 517;

fn encrypted(number: u8) -> Ciphertext {
    typed_ciphertext(number, FheType::Uint64)
}

fn number(amount: u64) -> Vec<u8> {
    [&[0; 24][..], &amount.to_be_bytes()].concat()
}

struct Scene {
    suite: Suite,
    auction: Addr,
}

impl Scene {
    /// An auction whose contract owns the key.
    fn new() -> Self {
        let mut scene = Self::without_key(None);
        let seller = scene.seller();
        let done = scene.send(&seller, &ExecuteMsg::MakeKey {}, 0).unwrap();
        let [kms_asc_api::event::Event::Request { request_id, .. }] = done.events[..] else { panic!() };
        let payload = scene.suite.key_payload(request_id);
        scene.suite.respond(vec![scene.suite.answer(request_id, 1, &payload)]);
        assert_eq!(scene.view().key_id, Some(KeyId::from(request_id)));
        scene
    }

    fn without_key(key_id: Option<KeyId>) -> Self {
        let mut suite = Suite::new();
        let code = ContractWrapper::new(contract::execute, contract::instantiate, contract::query)
            .with_reply(contract::reply);
        let code_id = suite.app.store_code(Box::new(code));
        let terms = InstantiateMsg {
            asc: suite.contract.to_string(),
            key_id,
            bidding_ends: BIDDING_ENDS,
            opening_ends: OPENING_ENDS,
            callback_gas: 200_000,
            ttl: None,
        };
        let seller = account("creator");
        let pot = coins(POT, DENOM);
        let auction = suite.app.instantiate_contract(code_id, seller, &terms, &pot, "auction", None).unwrap();
        let mut scene = Self { suite, auction };
        for bidder in ["ada", "bob", "eve"] {
            let (from, to) = (scene.suite.owner(), account(bidder));
            scene.suite.app.send_tokens(from, to, &coins(10_000, DENOM)).unwrap();
        }
        scene
    }

    fn seller(&self) -> Addr {
        account("creator")
    }

    fn send(&mut self, sender: &Addr, msg: &ExecuteMsg, amount: u128) -> Result<Done, Refusal> {
        let funds = if amount == 0 { vec![] } else { coins(amount, DENOM) };
        let msg = to_json_binary(msg).unwrap();
        let msg: CosmosMsg = WasmMsg::Execute { contract_addr: self.auction.to_string(), msg, funds }.into();
        Ok(self.suite.execute_all(sender, vec![msg])?.remove(0))
    }

    fn bid(&mut self, bidder: &str, ciphertext: u8, deposit: u128) -> Result<Done, Refusal> {
        let ciphertext = Box::new(encrypted(ciphertext));
        self.send(&account(bidder), &ExecuteMsg::Bid { ciphertext }, deposit)
    }

    /// Three bids, and bidding has ended.
    fn with_bids() -> Self {
        let mut scene = Self::new();
        for (bidder, ciphertext) in [("ada", 1), ("bob", 2), ("eve", 3)] {
            scene.bid(bidder, ciphertext, 1000).unwrap();
        }
        scene.suite.at(BIDDING_ENDS);
        scene
    }

    fn open(&mut self) -> Vec<RequestId> {
        let done = self.send(&account("passer-by"), &ExecuteMsg::Open {}, 0).unwrap();
        let ids = done.events.iter().map(|event| match event {
            kms_asc_api::event::Event::Request { request_id, .. } => *request_id,
            other => panic!("{other:?}"),
        });
        ids.collect()
    }

    fn answer(&mut self, id: RequestId, payload: &[u8]) {
        self.suite.respond(vec![self.suite.answer(id, 1, payload)]);
    }

    /// Has callbacks fail, by state that cannot be read.
    fn break_calls(&mut self, broken: bool) {
        let mut storage = self.suite.app.contract_storage_mut(&self.auction);
        let terms = storage.get(b"terms").unwrap();
        let turned: Vec<u8> = terms.iter().rev().copied().collect();
        assert_eq!(terms.starts_with(b"{"), broken);
        storage.set(b"terms", &turned);
    }

    fn view(&self) -> AuctionView {
        self.suite.app.wrap().query_wasm_smart(&self.auction, &QueryMsg::Auction {}).unwrap()
    }

    fn seals(&self) -> Vec<Seal> {
        let bids: Vec<BidView> =
            self.suite.app.wrap().query_wasm_smart(&self.auction, &QueryMsg::Bids {}).unwrap();
        bids.into_iter().map(|bid| bid.seal).collect()
    }

    fn withdraw(&mut self, who: &Addr) -> u128 {
        let before = self.suite.balance(who);
        self.send(who, &ExecuteMsg::Withdraw {}, 0).unwrap();
        self.suite.balance(who) - before
    }

    fn end(&self) -> Option<End> {
        self.view().end
    }
}

fn sold(to: &str, amount: u64) -> Option<End> {
    Some(End::Sold { to: account(to).to_string(), amount })
}

#[test]
fn the_highest_bid_wins_whatever_the_order_of_the_answers_and_all_money_finds_its_owner() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    assert_eq!(scene.seals()[1], Seal::Asked { request_id: ids[1].get() });
    for (index, amount) in [(2, 70), (0, 300), (1, 299)] {
        assert_eq!(scene.end(), None);
        scene.answer(ids[index], &number(amount));
    }
    assert_eq!(scene.end(), sold("ada", 300));
    assert_eq!(scene.seals()[2], Seal::Opened { amount: 70 });
    assert_eq!(scene.withdraw(&account("ada")), 700);
    assert_eq!(scene.withdraw(&account("bob")), 1000);
    // The key, three decryptions, and what was not spent.
    let key = 1003 + 400;
    let seller = scene.seller();
    assert_eq!(scene.withdraw(&seller), POT - key - 3 * PRICE + 300);
    assert_eq!(scene.withdraw(&account("eve")), 1000);
    assert_eq!(scene.suite.balance(&scene.auction.clone()), 0);
    for who in [account("ada"), account("stranger"), seller] {
        assert!(scene.send(&who, &ExecuteMsg::Withdraw {}, 0).is_err(), "nothing is left for {who}");
    }
}

#[test]
fn of_equal_bids_the_first_wins() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    for index in [2, 1, 0] {
        scene.answer(ids[index], &number(5));
    }
    assert_eq!(scene.end(), sold("ada", 5));
}

#[test]
fn a_bid_that_cannot_be_decrypted_or_exceeds_its_deposit_is_void_and_spoils_no_other() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    scene.suite.report(vec![scene.suite.failure(ids[0], 1, FailureCode::CiphertextMalformed, 0)]);
    scene.answer(ids[1], &number(1001));
    scene.answer(ids[2], &number(1));
    assert_eq!(scene.seals()[..2], [Seal::Void {}, Seal::Void {}]);
    assert_eq!(scene.end(), sold("eve", 1));
    assert_eq!(scene.withdraw(&account("ada")), 1000);
    assert_eq!(scene.withdraw(&account("bob")), 1000);
}

#[test]
fn what_was_not_answered_is_asked_for_again_with_the_money_that_came_back() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    scene.answer(ids[0], &number(10));
    let before = scene.suite.balance(&scene.auction);
    scene.suite.at(BIDDING_ENDS + 60);
    assert_eq!(scene.suite.close(&ids[1..]), [CloseOutcome::Closed(State::Expired); 2]);
    assert_eq!(scene.suite.balance(&scene.auction), before + 2 * PRICE);
    assert_eq!(scene.seals()[1..], [Seal::Sealed {}, Seal::Sealed {}]);
    let again = scene.open();
    assert_eq!(again.len(), 2, "the first is open already");
    assert!(scene.send(&account("bob"), &ExecuteMsg::Open {}, 0).is_err(), "all are asked for");
    scene.answer(again[0], &number(20));
    scene.answer(again[1], &number(15));
    assert_eq!(scene.end(), sold("bob", 20));
}

#[test]
fn bids_that_are_never_opened_call_the_auction_off_and_every_deposit_goes_back() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    scene.answer(ids[0], &number(10));
    let call_off = ExecuteMsg::CallOff {};
    scene.suite.at(OPENING_ENDS - 1);
    assert!(scene.send(&account("bob"), &call_off, 0).is_err());
    assert!(scene.send(&account("bob"), &ExecuteMsg::Withdraw {}, 0).is_err());
    scene.suite.at(OPENING_ENDS);
    scene.send(&account("bob"), &call_off, 0).unwrap();
    for bidder in ["ada", "bob", "eve"] {
        assert_eq!(scene.withdraw(&account(bidder)), 1000);
    }
    // Refunds that come later are the seller's.
    let seller = scene.seller();
    assert_eq!(scene.withdraw(&seller), POT - 1403 - 3 * PRICE);
    scene.suite.close(&ids[1..]);
    assert_eq!(scene.withdraw(&seller), 2 * PRICE);
    assert_eq!(scene.end(), Some(End::CalledOff {}));
}

#[test]
fn without_a_valid_bid_nothing_is_sold() {
    let mut scene = Scene::new();
    scene.bid("ada", 1, 5).unwrap();
    scene.suite.at(BIDDING_ENDS);
    let ids = scene.open();
    scene.answer(ids[0], &number(6));
    assert_eq!(scene.end(), Some(End::NoSale {}));
}

#[test]
fn only_the_asc_tells_results_and_each_once() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    let forged = KmsResult {
        request_id: ids[0].get(),
        state: EndState::Fulfilled,
        outcome: 0,
        payload: Some(number(999).into()),
    };
    for sender in [scene.seller(), account("ada")] {
        let refusal = scene.send(&sender, &ExecuteMsg::KmsResult(forged.clone()), 0).unwrap_err();
        assert!(refusal.text.contains("only the ASC"), "{}", refusal.text);
    }
    scene.answer(ids[0], &number(10));
    let fetch = |id: RequestId| ExecuteMsg::Fetch { request_id: id.get() };
    for id in [ids[0], RequestId(1), RequestId(99)] {
        assert!(scene.send(&account("ada"), &fetch(id), 0).is_err(), "request {id} is not under way");
    }
    assert!(scene.send(&account("ada"), &fetch(ids[1]), 0).is_err(), "it has not ended");
}

/// A callback may fail for reasons that are not the contract's, such as too little gas. The result is still there.
#[test]
fn a_result_whose_callback_failed_is_fetched_from_the_asc() {
    let mut scene = Scene::with_bids();
    let ids = scene.open();
    scene.break_calls(true);
    scene.answer(ids[0], &number(10));
    scene.suite.report(vec![scene.suite.failure(ids[1], 1, FailureCode::WrongType, 0)]);
    scene.suite.at(BIDDING_ENDS + 60);
    scene.suite.close(&[ids[2]]);
    assert_eq!(scene.suite.newest_kinds(1), ["callback_failed"]);
    scene.break_calls(false);
    assert!(matches!(scene.seals()[..], [Seal::Asked { .. }, Seal::Asked { .. }, Seal::Asked { .. }]));
    for id in ids {
        let fetch = ExecuteMsg::Fetch { request_id: id.get() };
        scene.send(&account("passer-by"), &fetch, 0).unwrap();
        assert!(scene.send(&account("passer-by"), &fetch, 0).is_err(), "once");
    }
    assert_eq!(scene.seals(), [Seal::Opened { amount: 10 }, Seal::Void {}, Seal::Sealed {}]);
}

#[test]
fn bids_are_taken_once_each_with_a_deposit_while_there_is_a_key_and_time() {
    let mut early = Scene::without_key(None);
    assert!(early.bid("ada", 1, 10).is_err(), "there is no key");
    let mut scene = Scene::new();
    scene.bid("ada", 1, 10).unwrap();
    assert!(scene.bid("ada", 2, 10).is_err(), "one bid each");
    assert!(scene.bid("bob", 1, 10).is_err(), "a copy");
    assert!(scene.bid("bob", 2, 0).is_err(), "no deposit");
    let small = Box::new(typed_ciphertext(4, FheType::Uint8));
    assert!(scene.send(&account("bob"), &ExecuteMsg::Bid { ciphertext: small }, 10).is_err());
    assert!(scene.send(&account("bob"), &ExecuteMsg::Open {}, 0).is_err(), "too early");
    scene.suite.at(BIDDING_ENDS);
    assert!(scene.bid("bob", 2, 10).is_err(), "too late");
    let stranger = account("stranger");
    assert!(scene.send(&stranger, &ExecuteMsg::MakeKey {}, 0).is_err());
}

#[test]
fn the_seller_ends_bidding_early_and_nobody_else_does() {
    let mut scene = Scene::new();
    scene.bid("ada", 1, 10).unwrap();
    assert!(scene.send(&account("ada"), &ExecuteMsg::EndBidding {}, 0).is_err());
    let seller = scene.seller();
    scene.send(&seller, &ExecuteMsg::EndBidding {}, 0).unwrap();
    assert!(scene.bid("bob", 2, 10).is_err());
    assert_eq!(scene.open().len(), 1);
}

/// With a grant of the key's owner the contract may ask too; bidders trust that owner.
#[test]
fn bids_under_somebody_elses_key_are_opened_with_a_grant_of_its_owner() {
    let mut scene = Scene::without_key(Some(KeyId(1)));
    let key_id = scene.suite.key();
    assert_eq!(key_id, KeyId(1));
    scene.bid("ada", 1, 10).unwrap();
    scene.suite.at(BIDDING_ENDS);
    let denied = scene.open()[0];
    assert_eq!(scene.suite.view(denied).reason.as_deref(), Some("permission"));
    let grant = kms_asc_api::ExecuteMsg::Grant { key_id, grantee: scene.auction.to_string(), until: None };
    let owner = scene.suite.owner();
    scene.suite.execute(&owner, &grant, &[]).unwrap();
    let asked = scene.open()[0];
    scene.answer(asked, &number(9));
    assert_eq!(scene.end(), sold("ada", 9));
}

/// Denied is no end that is called back: the submission itself says it, and the bid can be asked for again.
#[test]
fn a_denied_opening_leaves_the_bid_sealed() {
    let mut scene = Scene::with_bids();
    let key_id = scene.view().key_id.unwrap();
    let set = |scene: &mut Scene, state: KeyState| {
        scene.suite.change_state(|storage| {
            let mut key = state_key::KEY.load(storage, key_id.get()).unwrap();
            key.state = state;
            state_key::KEY.save(storage, key_id.get(), &key).unwrap();
        });
    };
    set(&mut scene, KeyState::Suspended);
    let denied = scene.open();
    assert!(denied.iter().all(|id| scene.suite.view(*id).state == State::Denied));
    assert_eq!(scene.seals(), [Seal::Sealed {}, Seal::Sealed {}, Seal::Sealed {}]);
    set(&mut scene, KeyState::Active);
    for (id, amount) in scene.open().into_iter().zip([1, 2, 3]) {
        scene.answer(id, &number(amount));
    }
    assert_eq!(scene.end(), sold("eve", 3));
}
