//! Whether a request may be put to the operators: judged once, at submission; what changes later does not
//! change the verdict. A refusal is recorded: the log shows attempts too.

mod provenance;
mod user;

use cosmwasm_std::{Addr, StdError};
use kms_asc_api::{
    CrsGen, CrsSource, DenialReason, Digest, Eip712Domain, EpochId, EvmAddress, KeyGen, KeyRecord, KeySource,
    KeyState, Operation, PublicDecrypt, UserDecrypt, VerifyInput, state_key,
};

use crate::ContractError;
use crate::domain;
use crate::session::Session;
use provenance::Origin;

/// Why a request goes no further.
enum Refused {
    /// It is denied, on record.
    Denied(DenialReason),
    /// The message fails.
    Error(ContractError),
}

impl From<DenialReason> for Refused {
    fn from(reason: DenialReason) -> Self {
        Self::Denied(reason)
    }
}

impl From<ContractError> for Refused {
    fn from(error: ContractError) -> Self {
        Self::Error(error)
    }
}

impl From<StdError> for Refused {
    fn from(error: StdError) -> Self {
        Self::Error(error.into())
    }
}

/// Who has to answer, or why nobody shall. `key` is the record of the key that the operation uses.
pub fn judge(
    session: &mut Session,
    sender: &Addr,
    key: Option<&KeyRecord>,
    operation: &Operation,
) -> Result<Result<EpochId, DenialReason>, ContractError> {
    let judged = match (operation, key) {
        (Operation::KeyGen(op), key) => key_gen(session, sender, key, op),
        (Operation::CrsGen(op), _) => crs_gen(session, op),
        (Operation::PublicDecrypt(op), Some(key)) => public_decrypt(session, sender, key, op),
        (Operation::UserDecrypt(op), Some(key)) => user_decrypt(session, sender, key, op),
        (Operation::VerifyInput(op), Some(key)) => verify_input(session, key, op),
        (_, None) => Err(ContractError::NotFound("key of the operation".to_owned()).into()),
    };
    match judged {
        Ok(epoch) => Ok(Ok(epoch)),
        Err(Refused::Denied(reason)) => Ok(Err(reason)),
        Err(Refused::Error(error)) => Err(error),
    }
}

fn key_gen(
    session: &mut Session,
    sender: &Addr,
    key: Option<&KeyRecord>,
    op: &KeyGen,
) -> Result<EpochId, Refused> {
    match (&op.source, key) {
        (KeySource::Generate, _) => {}
        (KeySource::Import { digests }, _) => {
            unregistered(session, digests.iter().map(|part| &part.digest))?;
        }
        (KeySource::Takeover { .. }, key) => {
            let key = key.ok_or_else(|| ContractError::NotFound("key to take over".to_owned()))?;
            if key.owner != sender.as_str() {
                return Err(DenialReason::Permission.into());
            }
            if key.state == KeyState::Destroyed {
                return Err(DenialReason::KeyState.into());
            }
        }
    }
    standing_newest(session)
}

fn crs_gen(session: &mut Session, op: &CrsGen) -> Result<EpochId, Refused> {
    if let CrsSource::Import { digest } = &op.source {
        unregistered(session, [digest])?;
    }
    standing_newest(session)
}

/// Material belongs to one request, for good.
fn unregistered<'a>(
    session: &Session,
    digests: impl IntoIterator<Item = &'a Digest>,
) -> Result<(), DenialReason> {
    let storage = &*session.deps.storage;
    let mut digests = digests.into_iter();
    if digests.any(|digest| state_key::DIGEST.has(storage, digest.as_bytes().as_slice())) {
        return Err(DenialReason::DigestRegistered);
    }
    Ok(())
}

/// An epoch that was not revoked.
fn standing(session: &Session, epoch: EpochId) -> Result<EpochId, Refused> {
    if session.is_revoked(epoch) { Err(DenialReason::EpochRevoked.into()) } else { Ok(epoch) }
}

/// Who holds what is made now, if not revoked.
fn standing_newest(session: &Session) -> Result<EpochId, Refused> {
    standing(session, session.newest_epoch()?)
}

fn verify_input(session: &mut Session, key: &KeyRecord, op: &VerifyInput) -> Result<EpochId, Refused> {
    if !key.state.allows_inputs() {
        return Err(DenialReason::KeyState.into());
    }
    if !key.crs_ids.contains(&op.crs_id) {
        return Err(DenialReason::CrsNotAllowed.into());
    }
    under_own_domain(session, key, op.domain.as_ref())?;
    standing(session, key.epoch)
}

fn public_decrypt(
    session: &mut Session,
    sender: &Addr,
    key: &KeyRecord,
    op: &PublicDecrypt,
) -> Result<EpochId, Refused> {
    let epoch = may_decrypt(session, key, op.domain.as_ref())?;
    let app = EvmAddress::of_app(sender.as_str());
    let origins = provenance::origins(session, key, &op.ciphertexts)?;
    let needed = origins.into_iter().map(|origin| match origin {
        Origin::Input { contract, .. } if contract == app => Needed::Nothing,
        Origin::Attested { user: None, .. } => Needed::Nothing,
        Origin::Input { .. } | Origin::Attested { .. } | Origin::Unproven => Needed::Grant,
    });
    permitted(session, sender, key, needed)?;
    Ok(epoch)
}

fn user_decrypt(
    session: &mut Session,
    sender: &Addr,
    key: &KeyRecord,
    op: &UserDecrypt,
) -> Result<EpochId, Refused> {
    let epoch = may_decrypt(session, key, op.domain.as_ref())?;
    user::consents(session, key, op)?;
    let origins = provenance::origins(session, key, &op.ciphertexts)?;
    let named = |contract: &EvmAddress| op.contracts.contains(contract);
    let needed = origins.into_iter().map(|origin| match origin {
        Origin::Input { user, contract } if user == op.user && named(&contract) => Needed::Nothing,
        Origin::Attested { user, contract } if user.is_none_or(|u| u == op.user) && named(&contract) => {
            Needed::Nothing
        }
        Origin::Input { .. } | Origin::Attested { .. } => Needed::Impossible,
        Origin::Unproven => Needed::Grant,
    });
    permitted(session, sender, key, needed)?;
    Ok(epoch)
}

/// What both decryptions ask of key and domain.
fn may_decrypt(
    session: &mut Session,
    key: &KeyRecord,
    domain: Option<&Eip712Domain>,
) -> Result<EpochId, Refused> {
    if !key.state.allows_decryption() {
        return Err(DenialReason::KeyState.into());
    }
    under_own_domain(session, key, domain)?;
    standing(session, key.epoch)
}

fn under_own_domain(
    session: &Session,
    key: &KeyRecord,
    domain: Option<&Eip712Domain>,
) -> Result<(), Refused> {
    if domain::may_answer_under(session.deps.storage, key, domain)? {
        return Ok(());
    }
    Err(DenialReason::Domain.into())
}

/// What a sender needs to have one ciphertext decrypted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needed {
    /// Its origin permits it.
    Nothing,
    /// Whoever may have ciphertexts of his choice decrypted can compute the secret key, so only those whom
    /// the owner trusts with it.
    Grant,
    /// Nobody may.
    Impossible,
}

fn permitted(
    session: &Session,
    sender: &Addr,
    key: &KeyRecord,
    needed: impl Iterator<Item = Needed>,
) -> Result<(), Refused> {
    let permitted = match needed.max().unwrap_or(Needed::Impossible) {
        Needed::Nothing => true,
        Needed::Grant => is_grantee(session, sender, key)?,
        Needed::Impossible => false,
    };
    if permitted { Ok(()) } else { Err(DenialReason::Permission.into()) }
}

/// The key's owner, or who holds his grant under the key's present generation.
fn is_grantee(session: &Session, sender: &Addr, key: &KeyRecord) -> Result<bool, ContractError> {
    if key.owner == sender.as_str() {
        return Ok(true);
    }
    let grant = state_key::GRANT.may_load(session.deps.storage, (key.id.get(), sender))?;
    Ok(grant.is_some_and(|grant| grant.holds(key.generation, session.now())))
}
