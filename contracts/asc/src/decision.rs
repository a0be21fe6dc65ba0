//! Whether what the operators have said decides a request.

use std::collections::BTreeMap;

use kms_asc_api::{Digest, Epoch, FailureCode, Outcome, PartyId};

/// What one party said in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// Who.
    pub party: PartyId,
    /// Answer or failure.
    pub outcome: Outcome,
    /// SHA-256 of the payload.
    pub digest: Digest,
}

/// What the votes amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Equal answers of a majority.
    Fulfilled {
        /// SHA-256 of their payload.
        digest: Digest,
        /// Who gave it, ascending.
        supporters: Vec<PartyId>,
    },
    /// The parties still silent cannot bring a decision about any more.
    Failed {
        /// The code with most votes; the lowest of equals; `disagreement` if there is none.
        code: FailureCode,
        /// Those who found the requester's input wrong, if they alone are a majority; ascending.
        paid: Vec<PartyId>,
    },
}

/// Whether `heard` parties, of which `answered` gave answers, could decide at all: saves reading what they said.
pub fn may_decide(epoch: &Epoch, heard: u32, answered: u32) -> bool {
    let parties = u32::try_from(epoch.parties.len()).unwrap_or(u32::MAX);
    let silent = parties.saturating_sub(heard.count_ones());
    let best = silent.saturating_add(u32::from(answered != 0));
    heard.count_ones() >= epoch.majority || best < epoch.majority
}

/// Decides operations in which equal payloads of a majority count.
pub fn decide_by_majority(epoch: &Epoch, votes: &[Vote]) -> Option<Decision> {
    let majority = usize::try_from(epoch.majority).unwrap_or(usize::MAX);
    let mut by_digest: BTreeMap<Digest, Vec<PartyId>> = BTreeMap::new();
    let mut by_code: BTreeMap<FailureCode, usize> = BTreeMap::new();
    let mut finders = Vec::new();
    for vote in votes {
        match vote.outcome {
            Outcome::Answer => by_digest.entry(vote.digest).or_default().push(vote.party),
            Outcome::Failure(code) => {
                let count = by_code.entry(code).or_default();
                *count = count.saturating_add(1);
                if code.is_requesters_fault() {
                    finders.push(vote.party);
                }
            }
        }
    }
    let (digest, supporters) = by_digest
        .into_iter()
        .max_by_key(|(_, parties)| parties.len())
        .unwrap_or((Digest::new([0; 32]), vec![]));
    if supporters.len() >= majority {
        return Some(Decision::Fulfilled { digest, supporters });
    }
    let silent = epoch.parties.len().saturating_sub(votes.len());
    if supporters.len().saturating_add(silent) >= majority {
        return None;
    }
    let most = by_code.values().copied().max().unwrap_or(0);
    let code = by_code.into_iter().find(|(_, count)| *count == most).map(|(code, _)| code);
    let paid = if finders.len() >= majority { finders } else { vec![] };
    Some(Decision::Failed { code: code.unwrap_or(FailureCode::Disagreement), paid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_asc_api::{EpochId, EpochMode, Party, PublicKey};

    fn epoch(n: u32, faulty: u32, majority: u32) -> Epoch {
        let party = |party| Party {
            party: PartyId(party),
            name: format!("operator {party}"),
            signer: PublicKey::new([2; 33]),
            payout: "wasm1operator".into(),
        };
        Epoch {
            id: EpochId(1),
            mode: EpochMode::Threshold,
            faulty,
            majority,
            reconstruction: majority,
            parties: (1..=n).map(party).collect(),
            revoked_at: None,
        }
    }

    fn answer(party: u32, payload: u8) -> Vote {
        Vote { party: PartyId(party), outcome: Outcome::Answer, digest: Digest::new([payload; 32]) }
    }

    fn failure(party: u32, code: FailureCode) -> Vote {
        let digest = Digest::new([0; 32]);
        Vote { party: PartyId(party), outcome: Outcome::Failure(code), digest }
    }

    fn parties(numbers: &[u32]) -> Vec<PartyId> {
        numbers.iter().copied().map(PartyId).collect()
    }

    #[test]
    fn equal_answers_of_a_majority_fulfil_and_different_ones_do_not() {
        let epoch = epoch(4, 1, 3);
        let votes = [answer(1, 7), answer(2, 8), answer(3, 7), answer(4, 7)];
        assert_eq!(decide_by_majority(&epoch, &votes[..3]), None);
        let digest = Digest::new([7; 32]);
        assert_eq!(
            decide_by_majority(&epoch, &votes),
            Some(Decision::Fulfilled { digest, supporters: parties(&[1, 3, 4]) })
        );
    }

    #[test]
    fn a_request_fails_as_soon_as_silence_cannot_save_it_and_no_sooner() {
        let epoch = epoch(4, 1, 3);
        let unavailable = FailureCode::CiphertextUnavailable;
        let votes = [failure(1, unavailable), failure(2, unavailable)];
        assert_eq!(decide_by_majority(&epoch, &votes[..1]), None);
        assert_eq!(
            decide_by_majority(&epoch, &votes),
            Some(Decision::Failed { code: unavailable, paid: vec![] })
        );
    }

    #[test]
    fn the_code_with_most_votes_wins_and_the_lowest_of_equals() {
        let epoch = epoch(4, 1, 3);
        let (mismatch, wrong) = (FailureCode::CiphertextMismatch, FailureCode::WrongType);
        let tie = [failure(1, wrong), failure(2, mismatch)];
        assert!(matches!(
            decide_by_majority(&epoch, &tie),
            Some(Decision::Failed { code: FailureCode::CiphertextMismatch, .. })
        ));
        let disagreement = [answer(1, 1), answer(2, 2), answer(3, 3)];
        assert_eq!(
            decide_by_majority(&epoch, &disagreement),
            Some(Decision::Failed { code: FailureCode::Disagreement, paid: vec![] })
        );
    }

    #[test]
    fn finders_are_paid_only_if_they_alone_are_a_majority() {
        let epoch = epoch(4, 1, 3);
        let wrong = FailureCode::WrongType;
        let two = [failure(1, wrong), failure(2, wrong)];
        assert_eq!(decide_by_majority(&epoch, &two), Some(Decision::Failed { code: wrong, paid: vec![] }));
        let one = super::tests::epoch(1, 0, 1);
        assert_eq!(
            decide_by_majority(&one, &[failure(1, wrong)]),
            Some(Decision::Failed { code: wrong, paid: parties(&[1]) })
        );
    }

    /// The shortcut may only ever say "no" where the full count says "undecided".
    #[test]
    fn the_shortcut_never_hides_a_decision() {
        let votes_of = |party| [answer(party, 1), answer(party, 2), failure(party, FailureCode::Internal)];
        for (n, faulty, majority) in [(1, 0, 1), (4, 1, 3), (5, 1, 3), (3, 0, 2)] {
            let epoch = epoch(n, faulty, majority);
            let mut all: Vec<Vec<Vote>> = vec![vec![]];
            for party in 1..=n {
                let longer: Vec<_> = all
                    .iter()
                    .flat_map(|votes| {
                        votes_of(party).map(|vote| votes.iter().copied().chain([vote]).collect::<Vec<_>>())
                    })
                    .collect();
                all.extend(longer);
            }
            for votes in all {
                let bits = |answers: bool| {
                    votes
                        .iter()
                        .filter(|vote| !answers || vote.outcome == Outcome::Answer)
                        .fold(0, |bits, vote| bits | vote.party.bit())
                };
                if !may_decide(&epoch, bits(false), bits(true)) {
                    assert_eq!(decide_by_majority(&epoch, &votes), None, "{votes:?}");
                }
            }
        }
    }
}
