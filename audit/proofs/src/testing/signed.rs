use tendermint::{
    AppHash, Hash, Signature,
    account::Id as AccountId,
    block::{
        Commit, CommitSig, Header, Height, Id as BlockId, Round, header::Version, parts,
        signed_header::SignedHeader,
    },
    chain,
    validator::Set,
    vote::{SignedVote, Type, ValidatorIndex, Vote},
};
use tendermint_proto::{
    Protobuf,
    v0_38::types::{SignedHeader as RawSignedHeader, ValidatorSet as RawValidatorSet},
};

use super::Validators;
use crate::{LightBlock, Time, hash::sha256};

/// A block that is not signed yet.
pub(super) struct Draft<'a> {
    pub(super) chain_id: &'a str,
    pub(super) height: u64,
    pub(super) time: Time,
    pub(super) previous: Option<[u8; 32]>,
    pub(super) app_hash: &'a [u8; 32],
    pub(super) validators: &'a Validators,
    pub(super) next_validators: &'a Validators,
}

impl Draft<'_> {
    /// The light block and the header's hash.
    pub(super) fn sign(&self) -> (LightBlock, [u8; 32]) {
        let set = self.validators.set();
        let header = self.header(&set);
        let hash = header.hash();
        let commit = self.commit(&set, &header, hash);
        let light = LightBlock {
            signed_header: Protobuf::<RawSignedHeader>::encode_vec(ok(SignedHeader::new(header, commit))),
            validators: Protobuf::<RawValidatorSet>::encode_vec(set),
            next_validators: Protobuf::<RawValidatorSet>::encode_vec(self.next_validators.set()),
        };
        (light, ok(hash.as_bytes().try_into()))
    }

    fn header(&self, set: &Set) -> Header {
        let some = |what: &str| Some(Hash::Sha256(sha256(what.as_bytes())));
        Header {
            version: Version { block: 11, app: 0 },
            chain_id: ok(chain::Id::try_from(self.chain_id.to_owned())),
            height: ok(Height::try_from(self.height)),
            time: ok(self.time.to_tendermint()),
            last_block_id: self.previous.map(block_id),
            last_commit_hash: some("last commit"),
            data_hash: some("data"),
            validators_hash: set.hash(),
            next_validators_hash: self.next_validators.set().hash(),
            consensus_hash: Hash::Sha256(sha256(b"consensus")),
            app_hash: ok(AppHash::try_from(self.app_hash.to_vec())),
            last_results_hash: some("results"),
            evidence_hash: some("evidence"),
            proposer_address: set.validators.first().map_or(AccountId::new([0; 20]), |first| first.address),
        }
    }

    fn commit(&self, set: &Set, header: &Header, hash: Hash) -> Commit {
        let block_id = block_id(ok(hash.as_bytes().try_into()));
        let votes = set.validators.iter().enumerate().map(|(index, validator)| {
            let Some(key) = self.validators.key_of(validator) else {
                return CommitSig::BlockIdFlagAbsent;
            };
            let vote = Vote {
                vote_type: Type::Precommit,
                height: header.height,
                round: Round::default(),
                block_id: Some(block_id),
                timestamp: Some(header.time),
                validator_address: validator.address,
                validator_index: ok(ValidatorIndex::try_from(index)),
                // Replaced below: the bytes to sign are told by a vote that has one.
                signature: ok(Signature::new(vec![0; 64])),
                extension: Vec::new(),
                extension_signature: None,
            };
            let signed = SignedVote::from_vote(vote, header.chain_id.clone());
            let bytes = signed.map_or_else(Vec::new, |vote| vote.sign_bytes());
            CommitSig::BlockIdFlagCommit {
                validator_address: validator.address,
                timestamp: header.time,
                signature: ok(Signature::new(key.sign(&bytes).to_bytes())),
            }
        });
        Commit { height: header.height, round: Round::default(), block_id, signatures: votes.collect() }
    }
}

fn block_id(hash: [u8; 32]) -> BlockId {
    BlockId {
        hash: Hash::Sha256(hash),
        part_set_header: ok(parts::Header::new(1, Hash::Sha256(sha256(&hash)))),
    }
}

/// What is made here cannot be wrong.
fn ok<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| unreachable!("{error:?}"))
}
