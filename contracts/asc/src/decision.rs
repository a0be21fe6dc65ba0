//! Whether what the operators have said decides a request.

use std::collections::BTreeMap;

use kms_asc_api::{Digest, Epoch, EpochMode, FailureCode, OperationKind, Outcome, PartyId, Status};

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
    /// Enough answers.
    Fulfilled {
        /// SHA-256 of the payload that decided; none where each party's is its own.
        digest: Option<Digest>,
        /// Whose answers decided, ascending.
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

/// Which answers decide an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Equal ones of so many parties.
    Equal(u32),
    /// Any of so many parties: each is for the user to put together with the others.
    Any(u32),
}

impl Rule {
    /// The rule for an operation of an epoch.
    pub const fn of(epoch: &Epoch, kind: OperationKind) -> Self {
        match (kind, epoch.mode) {
            // Each answer is whole, so the user compares as many as would have to agree.
            (OperationKind::UserDecrypt, EpochMode::Replicated) => Self::Any(epoch.majority),
            (OperationKind::UserDecrypt, _) => Self::Any(epoch.reconstruction),
            _ => Self::Equal(epoch.majority),
        }
    }
}

/// What the numbers of answers and failures alone say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// No decision yet, whatever was said.
    Undecided,
    /// Decided.
    Decided(Decision),
    /// It depends on what was said.
    Unclear,
}

/// Whether `answered` and `failed` parties could decide at all: saves reading what they said.
pub fn outlook(epoch: &Epoch, rule: Rule, answered: u32, failed: u32) -> Outlook {
    let heard = (answered | failed).count_ones();
    let silent = u32::try_from(epoch.parties.len()).unwrap_or(u32::MAX).saturating_sub(heard);
    match rule {
        Rule::Any(needed) if answered.count_ones() >= needed => {
            let supporters = Status::parties(answered).collect();
            Outlook::Decided(Decision::Fulfilled { digest: None, supporters })
        }
        Rule::Any(needed) if silent.saturating_add(answered.count_ones()) >= needed => Outlook::Undecided,
        Rule::Equal(needed)
            if heard < needed && silent.saturating_add(u32::from(answered != 0)) >= needed =>
        {
            Outlook::Undecided
        }
        Rule::Any(_) | Rule::Equal(_) => Outlook::Unclear,
    }
}

/// Decides by what was said.
pub fn decide(epoch: &Epoch, rule: Rule, votes: &[Vote]) -> Option<Decision> {
    let mut answers: BTreeMap<Option<Digest>, Vec<PartyId>> = BTreeMap::new();
    let mut codes: BTreeMap<FailureCode, usize> = BTreeMap::new();
    let mut finders = Vec::new();
    for vote in votes {
        match (vote.outcome, rule) {
            (Outcome::Answer, Rule::Equal(_)) => {
                answers.entry(Some(vote.digest)).or_default().push(vote.party);
            }
            (Outcome::Answer, Rule::Any(_)) => answers.entry(None).or_default().push(vote.party),
            (Outcome::Failure(code), _) => {
                let count = codes.entry(code).or_default();
                *count = count.saturating_add(1);
                if code.is_requesters_fault() {
                    finders.push(vote.party);
                }
            }
        }
    }
    let (Rule::Equal(needed) | Rule::Any(needed)) = rule;
    let needed = usize::try_from(needed).unwrap_or(usize::MAX);
    let (digest, supporters) =
        answers.into_iter().max_by_key(|(_, parties)| parties.len()).unwrap_or_default();
    if supporters.len() >= needed {
        return Some(Decision::Fulfilled { digest, supporters });
    }
    let silent = epoch.parties.len().saturating_sub(votes.len());
    if supporters.len().saturating_add(silent) >= needed {
        return None;
    }
    let most = codes.values().copied().max().unwrap_or(0);
    let code = codes.into_iter().find(|(_, count)| *count == most).map(|(code, _)| code);
    let majority = usize::try_from(epoch.majority).unwrap_or(usize::MAX);
    let paid = if finders.len() >= majority { finders } else { vec![] };
    Some(Decision::Failed { code: code.unwrap_or(FailureCode::Disagreement), paid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_asc_api::{EpochId, Party, PublicKey};

    const BOTH: fn(u32) -> [Rule; 2] = |needed| [Rule::Equal(needed), Rule::Any(needed)];

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
        assert_eq!(decide(&epoch, Rule::Equal(3), &votes[..3]), None);
        let digest = Digest::new([7; 32]);
        assert_eq!(
            decide(&epoch, Rule::Equal(3), &votes),
            Some(Decision::Fulfilled { digest: Some(digest), supporters: parties(&[1, 3, 4]) })
        );
    }

    #[test]
    fn a_request_fails_as_soon_as_silence_cannot_save_it_and_no_sooner() {
        let epoch = epoch(4, 1, 3);
        let unavailable = FailureCode::CiphertextUnavailable;
        let votes = [failure(1, unavailable), failure(2, unavailable)];
        assert_eq!(decide(&epoch, Rule::Equal(3), &votes[..1]), None);
        assert_eq!(
            decide(&epoch, Rule::Equal(3), &votes),
            Some(Decision::Failed { code: unavailable, paid: vec![] })
        );
    }

    #[test]
    fn the_code_with_most_votes_wins_and_the_lowest_of_equals() {
        let epoch = epoch(4, 1, 3);
        let (mismatch, wrong) = (FailureCode::CiphertextMismatch, FailureCode::WrongType);
        let tie = [failure(1, wrong), failure(2, mismatch)];
        assert!(matches!(
            decide(&epoch, Rule::Equal(3), &tie),
            Some(Decision::Failed { code: FailureCode::CiphertextMismatch, .. })
        ));
        let disagreement = [answer(1, 1), answer(2, 2), answer(3, 3)];
        assert_eq!(
            decide(&epoch, Rule::Equal(3), &disagreement),
            Some(Decision::Failed { code: FailureCode::Disagreement, paid: vec![] })
        );
    }

    #[test]
    fn finders_are_paid_only_if_they_alone_are_a_majority() {
        let epoch = epoch(4, 1, 3);
        let wrong = FailureCode::WrongType;
        let two = [failure(1, wrong), failure(2, wrong)];
        assert_eq!(
            decide(&epoch, Rule::Equal(3), &two),
            Some(Decision::Failed { code: wrong, paid: vec![] })
        );
        let one = super::tests::epoch(1, 0, 1);
        assert_eq!(
            decide(&one, Rule::Equal(1), &[failure(1, wrong)]),
            Some(Decision::Failed { code: wrong, paid: parties(&[1]) })
        );
    }

    #[test]
    fn any_answers_of_enough_parties_decide_where_each_is_its_own() {
        let epoch = epoch(4, 1, 3);
        let votes = [answer(1, 1), answer(2, 2), answer(4, 3)];
        assert_eq!(decide(&epoch, Rule::Any(3), &votes[..2]), None);
        let decided = Decision::Fulfilled { digest: None, supporters: parties(&[1, 2, 4]) };
        assert_eq!(decide(&epoch, Rule::Any(3), &votes), Some(decided));
        assert_eq!(
            outlook(&epoch, Rule::Any(3), 0b1011, 0),
            Outlook::Decided(Decision::Fulfilled { digest: None, supporters: parties(&[1, 2, 4]) })
        );
        let wrong = [answer(1, 1), failure(2, FailureCode::TooLarge), failure(3, FailureCode::TooLarge)];
        assert_eq!(decide(&epoch, Rule::Any(3), &wrong[..2]), None);
        let failed = Decision::Failed { code: FailureCode::TooLarge, paid: vec![] };
        assert_eq!(decide(&epoch, Rule::Any(3), &wrong), Some(failed));
    }

    #[test]
    fn the_rule_follows_operation_and_mode() {
        let threshold = Epoch { reconstruction: 2, ..epoch(4, 1, 3) };
        let replicated = Epoch { mode: EpochMode::Replicated, ..threshold.clone() };
        for kind in OperationKind::ALL {
            let user = kind == OperationKind::UserDecrypt;
            assert_eq!(Rule::of(&threshold, kind), if user { Rule::Any(2) } else { Rule::Equal(3) });
            assert_eq!(Rule::of(&replicated, kind), if user { Rule::Any(3) } else { Rule::Equal(3) });
        }
    }

    /// The shortcut may say only what the full count says too, and must say "no" while nobody could decide.
    #[test]
    fn the_shortcut_agrees_with_the_full_count() {
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
            for (votes, rule) in all.iter().flat_map(|votes| BOTH(majority).map(|rule| (votes, rule))) {
                let bits = |answers: bool| {
                    votes
                        .iter()
                        .filter(|vote| (vote.outcome == Outcome::Answer) == answers)
                        .fold(0, |bits, vote| bits | vote.party.bit())
                };
                let decision = decide(&epoch, rule, votes);
                match outlook(&epoch, rule, bits(true), bits(false)) {
                    Outlook::Undecided => assert_eq!(decision, None, "{rule:?} {votes:?}"),
                    Outlook::Decided(early) => assert_eq!(decision, Some(early), "{rule:?} {votes:?}"),
                    Outlook::Unclear => {}
                }
            }
        }
    }
}
