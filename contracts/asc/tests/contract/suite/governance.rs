//! What owners and the admin do, in messages that must succeed.

use cosmwasm_std::{Addr, Coin};
use cw_multi_test::Executor;
use kms_asc_api::{
    CrsId, Eip712Domain, Epoch, EpochId, ExecuteMsg, Governance, KeyId, KeyRecord, KeyState, QueryMsg,
};

use super::Suite;
use super::evidence::wallet;

impl Suite {
    /// A key's record.
    pub fn key_record(&self, id: KeyId) -> KeyRecord {
        self.query(&QueryMsg::Key { id }).unwrap()
    }

    pub fn governance(&self) -> Governance {
        self.query(&QueryMsg::Governance {}).unwrap()
    }

    fn as_owner(&mut self, key_id: KeyId, msg: &ExecuteMsg) {
        let owner = Addr::unchecked(self.key_record(key_id).owner);
        self.done(&owner, msg);
    }

    /// Attesters are the wallets of these seeds.
    pub fn set_attesters(&mut self, key_id: KeyId, seeds: &[u32], threshold: u32) {
        let attesters = seeds.iter().map(|seed| wallet(*seed)).collect();
        self.as_owner(key_id, &ExecuteMsg::SetAttesters { key_id, attesters, threshold });
    }

    pub fn set_crs(&mut self, key_id: KeyId, crs_ids: &[CrsId]) {
        self.as_owner(key_id, &ExecuteMsg::SetCrs { key_id, crs_ids: crs_ids.to_vec() });
    }

    /// Brings a key to a state, by way of `suspended` if there is no shorter one.
    pub fn set_key_state(&mut self, key_id: KeyId, state: KeyState) {
        let from = self.key_record(key_id).state;
        if from == state {
            return;
        }
        if !state.may_follow(from) {
            self.as_owner(key_id, &ExecuteMsg::SetKeyState { key_id, state: KeyState::Suspended });
        }
        self.as_owner(key_id, &ExecuteMsg::SetKeyState { key_id, state });
    }

    /// The key goes to somebody else.
    pub fn hand_over(&mut self, key_id: KeyId, to: &Addr) {
        self.as_owner(key_id, &ExecuteMsg::OfferKey { key_id, to: to.to_string() });
        self.done(to, &ExecuteMsg::AcceptKey { key_id });
    }

    pub fn grant(&mut self, key_id: KeyId, grantee: &Addr, until: Option<u64>) {
        self.as_owner(key_id, &ExecuteMsg::Grant { key_id, grantee: grantee.to_string(), until });
    }

    pub fn pause(&mut self) {
        self.done(&self.admin(), &ExecuteMsg::Pause {});
    }

    pub fn register_domain(&mut self, key_id: KeyId, domain: &Eip712Domain) {
        self.done(&self.admin(), &ExecuteMsg::RegisterDomain { key_id, domain: domain.clone() });
    }

    /// The next set of operators, from now on the suite's.
    pub fn set_epoch(&mut self, epoch: Epoch) {
        self.done(&self.admin(), &ExecuteMsg::SetEpoch { epoch: Box::new(epoch.clone()) });
        self.epoch = epoch;
    }

    pub fn revoke_epoch(&mut self, epoch: EpochId) {
        self.done(&self.admin(), &ExecuteMsg::RevokeEpoch { epoch });
    }

    /// Money that comes by no request.
    pub fn give(&mut self, amount: u128, denom: &str) {
        let (giver, contract) = (self.stranger(), self.contract.clone());
        self.app.send_tokens(giver, contract, &[Coin::new(amount, denom)]).unwrap();
        self.check_state();
    }
}
