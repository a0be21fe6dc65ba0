//! What a key's owner does.

use std::collections::BTreeSet;

use kms_asc_api::{CrsId, GrantRecord, KeyId, KeyState};

use super::{Check, Faults, Model, Outcome};
use crate::step::Msg;
use crate::world::{NOBODY, address, wallet};

impl Model {
    pub fn grants(&mut self, who: &str, msg: &Msg) -> Result<Outcome, Faults> {
        let (Msg::Grant { key, to, .. } | Msg::Revoke { key, to }) = msg else { panic!("a grant") };
        let mut check = self.by_owner(who, *key);
        check.fault(*to == NOBODY, "invalid_address");
        let place = (*key, address(*to));
        let Msg::Grant { until, .. } = msg else {
            check.fault(!self.grants.contains_key(&place), "not_found");
            check.done()?;
            self.grants.remove(&place);
            return Ok(self.entry("revoked"));
        };
        check.fault(self.is_destroyed(*key), "key_state");
        check.fault(until.is_some_and(|until| until < 0), "malformed");
        check.done()?;
        let grant = GrantRecord {
            key_id: KeyId(*key),
            grantee: place.1.clone(),
            generation: self.keys[key].generation,
            until: until.map(|until| self.now.saturating_add_signed(until)),
            height: self.height,
            time: self.now,
        };
        self.grants.insert(place, grant);
        Ok(self.entry("granted"))
    }

    pub fn key_message(&mut self, who: &str, msg: &Msg) -> Result<Outcome, Faults> {
        match msg {
            Msg::Accept { key } => self.accept(who, *key),
            Msg::State { key, state } => {
                let mut check = self.by_owner(who, *key);
                check.fault(self.keys.get(key).is_some_and(|key| !follows(key.state, *state)), "key_state");
                check.done()?;
                self.keys.get_mut(key).unwrap().state = *state;
                Ok(self.entry("key_state_set"))
            }
            Msg::Offer { key, to } => {
                let mut check = self.by_owner(who, *key);
                check.fault(*to == NOBODY, "invalid_address");
                check.fault(address(*to) == who, "malformed").fault(self.is_destroyed(*key), "key_state");
                check.done()?;
                self.keys.get_mut(key).unwrap().offered_to = Some(address(*to));
                Ok(self.entry("key_offered"))
            }
            Msg::Attesters { key, seeds, threshold } => {
                let count = u32::try_from(seeds.len()).unwrap();
                let distinct = seeds.iter().collect::<BTreeSet<_>>().len() == seeds.len();
                let fits = if count == 0 { *threshold == 0 } else { (1..=count).contains(threshold) };
                let mut check = self.by_owner(who, *key);
                check.fault(!distinct || !fits || seeds.contains(&0), "malformed");
                check.fault(count > 32, "over_limit").fault(self.is_destroyed(*key), "key_state");
                check.done()?;
                let key = self.keys.get_mut(key).unwrap();
                key.attesters = seeds.iter().map(|seed| wallet(*seed)).collect();
                key.attester_threshold = *threshold;
                Ok(self.entry("attesters_set"))
            }
            Msg::Crs { key, crs } => {
                let mut check = self.by_owner(who, *key);
                let distinct = crs.iter().collect::<BTreeSet<_>>().len() == crs.len();
                check.fault(crs.len() > 8, "over_limit").fault(!distinct, "malformed");
                check.fault(crs.iter().any(|id| !self.crs.contains_key(id)), "unknown_crs");
                check.fault(self.is_destroyed(*key), "key_state");
                check.done()?;
                self.keys.get_mut(key).unwrap().crs_ids = crs.iter().copied().map(CrsId).collect();
                Ok(self.entry("crs_allowed"))
            }
            _ => panic!("a key's message"),
        }
    }

    fn accept(&mut self, who: &str, id: u64) -> Result<Outcome, Faults> {
        let Some(key) = self.keys.get_mut(&id) else { return Err(Faults::from(["unknown_key"])) };
        let mut check = Check::default();
        check.fault(key.offered_to.as_deref() != Some(who), "not_offered");
        check.fault(key.state == KeyState::Destroyed, "key_state");
        check.done()?;
        key.owner = who.to_owned();
        key.generation += 1;
        (key.offered_to, key.attester_threshold) = (None, 0);
        key.attesters.clear();
        key.crs_ids.clear();
        Ok(self.entry("key_accepted"))
    }

    fn by_owner(&self, who: &str, key: u64) -> Check {
        let owner = self.keys.get(&key).map(|key| key.owner.as_str());
        let unknown = Check::default().with(owner.is_none(), "unknown_key");
        unknown.with(owner.is_some_and(|owner| owner != who), "unauthorized")
    }

    fn is_destroyed(&self, key: u64) -> bool {
        self.keys.get(&key).is_some_and(|key| key.state == KeyState::Destroyed)
    }
}

/// NIST SP 800-57, and a way from suspended to destroyed.
const fn follows(from: KeyState, to: KeyState) -> bool {
    use KeyState::{Active, Deactivated, Destroyed, Suspended};
    matches!(
        (from, to),
        (Active, Suspended | Deactivated)
            | (Suspended, Active | Deactivated | Destroyed)
            | (Deactivated, Destroyed)
    )
}
