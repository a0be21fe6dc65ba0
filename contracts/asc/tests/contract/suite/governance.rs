//! What owners and the admin do.

use kms_asc_api::{Eip712Domain, EpochId, ExecuteMsg, Governance, KeyId, KeyRecord, KeyState, QueryMsg};

use super::Suite;

impl Suite {
    /// A key's record.
    pub fn key_record(&self, id: KeyId) -> KeyRecord {
        self.query(&QueryMsg::Key { id }).unwrap()
    }

    pub fn governance(&self) -> Governance {
        self.query(&QueryMsg::Governance {}).unwrap()
    }

    /// Brings an active key to a state, as its owner, by the shortest way.
    pub fn bring_key_to(&mut self, key_id: KeyId, state: KeyState) {
        let owner = self.owner();
        let way: &[KeyState] = match state {
            KeyState::Active => &[],
            KeyState::Destroyed => &[KeyState::Suspended, KeyState::Destroyed],
            KeyState::Suspended | KeyState::Deactivated => &[state],
        };
        for state in way {
            self.done(&owner, &ExecuteMsg::SetKeyState { key_id, state: *state });
        }
        assert_eq!(self.key_record(key_id).state, state);
    }

    pub fn pause(&mut self) {
        self.done(&self.admin(), &ExecuteMsg::Pause {});
    }

    /// Revokes the suite's epoch.
    pub fn revoke_epoch(&mut self) {
        self.done(&self.admin(), &ExecuteMsg::RevokeEpoch { epoch: EpochId(1) });
    }

    pub fn register_domain(&mut self, key_id: KeyId, domain: &Eip712Domain) {
        self.done(&self.admin(), &ExecuteMsg::RegisterDomain { key_id, domain: domain.clone() });
    }

    /// Money that comes by no request.
    pub fn give(&mut self, amount: u128, denom: &str) {
        let (giver, contract) = (self.stranger(), self.contract.clone());
        let coins = [cosmwasm_std::Coin::new(amount, denom)];
        cw_multi_test::Executor::send_tokens(&mut self.app, giver, contract, &coins).unwrap();
        self.check_state();
    }
}
