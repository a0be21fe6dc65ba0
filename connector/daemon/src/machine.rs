//! The life of a request on this side: pure rules, no I/O.
//!
//! ```text
//! Seen --the core's answer is stored--> Answered --a signed transaction is stored--> Posted --state shows it--> Done
//!                                          ^------------- it had no effect -------------|
//! Seen, Answered, Posted --nothing is left to do--> Done        --an operator must look--> Parked
//! Done, Parked --after a restart, if the request is still open--> Seen
//! ```

use std::fmt;

use kms_asc_api::{EpochId, PartyId, RequestBody, State, Status};
use kms_chain::TxHash;
use serde::{Deserialize, Serialize};

/// Where this operator stands with a request. JSON in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Row {
    /// The core has not answered yet.
    Seen,
    /// The core's answer is stored and has to be posted.
    Answered {
        /// Block time in seconds before which the contract would refuse it; 0: at once.
        not_before: u64,
    },
    /// A signed transaction with the answer is stored, and was perhaps sent.
    Posted {
        /// Its hash.
        tx: TxHash,
        /// The last height that may include it.
        timeout_height: u64,
    },
    /// Given up although the request was open: an operator must look. Tried again after a restart.
    Parked {
        /// A stable reason.
        reason: String,
    },
    /// Nothing is left to do.
    Done {
        /// Why.
        end: End,
    },
}

/// Why nothing is left to do for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// This party's answer or failure is in the contract's state.
    Recorded,
    /// The request is terminal without it.
    Closed,
    /// An answer would no longer count.
    PastEnd,
    /// It is bound to another epoch.
    OtherEpoch,
    /// The contract does not know it.
    Unknown,
}

impl End {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Closed => "closed",
            Self::PastEnd => "past_end",
            Self::OtherEpoch => "other_epoch",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The core answered.
    Answer {
        /// See [`Row::Answered`].
        not_before: u64,
    },
    /// The answer is part of a signed transaction.
    Post {
        /// See [`Row::Posted`].
        tx: TxHash,
        /// See [`Row::Posted`].
        timeout_height: u64,
    },
    /// The transaction did nothing for this request: the answer has to be posted again.
    TakeBack {
        /// See [`Row::Answered`].
        not_before: u64,
    },
    /// Nothing is left to do.
    Finish(End),
    /// An operator must look.
    Park(String),
    /// The daemon was started again and finds the request still open.
    Revive,
}

/// A step that a row cannot take: a fault of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row that is {row} cannot take the step {step:?}")]
pub struct IllegalStep {
    /// The row's stage.
    pub row: &'static str,
    /// The step.
    pub step: Step,
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// [`Row::Seen`].
    Seen,
    /// [`Row::Answered`].
    Answered,
    /// [`Row::Posted`].
    Posted,
    /// [`Row::Parked`].
    Parked,
    /// [`Row::Done`].
    Done,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 5] = [Self::Seen, Self::Answered, Self::Posted, Self::Parked, Self::Done];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Answered => "answered",
            Self::Posted => "posted",
            Self::Parked => "parked",
            Self::Done => "done",
        }
    }

    /// The number in the inbox's queue.
    pub const fn number(self) -> u8 {
        match self {
            Self::Seen => 0,
            Self::Answered => 1,
            Self::Posted => 2,
            Self::Parked => 3,
            Self::Done => 4,
        }
    }
}

impl Row {
    /// The kind.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Seen => Stage::Seen,
            Self::Answered { .. } => Stage::Answered,
            Self::Posted { .. } => Stage::Posted,
            Self::Parked { .. } => Stage::Parked,
            Self::Done { .. } => Stage::Done,
        }
    }

    /// Block time before which there is nothing to do.
    pub const fn not_before(&self) -> u64 {
        match self {
            Self::Answered { not_before } => *not_before,
            _ => 0,
        }
    }

    /// The row behind a step.
    ///
    /// # Errors
    /// When the row cannot take it.
    pub fn after(&self, step: &Step) -> Result<Self, IllegalStep> {
        let live = !matches!(self, Self::Parked { .. } | Self::Done { .. });
        match (self, step) {
            (Self::Seen, Step::Answer { not_before })
            | (Self::Posted { .. }, Step::TakeBack { not_before }) => {
                Ok(Self::Answered { not_before: *not_before })
            }
            (Self::Answered { .. }, Step::Post { tx, timeout_height }) => {
                Ok(Self::Posted { tx: *tx, timeout_height: *timeout_height })
            }
            (_, Step::Finish(end)) if live => Ok(Self::Done { end: *end }),
            (_, Step::Park(reason)) if live => Ok(Self::Parked { reason: reason.clone() }),
            (_, Step::Revive) if !live => Ok(Self::Seen),
            _ => Err(IllegalStep { row: self.stage().name(), step: step.clone() }),
        }
    }
}

/// Whom this daemon serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// The epoch.
    pub epoch: EpochId,
    /// The party in it.
    pub party: PartyId,
}

/// What the contract's state says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The body's bytes, as stored.
    pub stored_body: Vec<u8>,
    /// The same, parsed.
    pub body: RequestBody,
    /// The status.
    pub status: Status,
    /// Whether this party's answer or failure is recorded.
    pub responded: bool,
    /// Time of the newest block, seconds.
    pub now: u64,
}

/// Why nothing is left to do for a request; `None` if there is.
pub fn verdict(facts: &Facts, operator: Operator) -> Option<End> {
    let state = facts.status.state;
    if facts.responded {
        Some(End::Recorded)
    } else if state.is_terminal() {
        Some(End::Closed)
    } else if facts.body.epoch != Some(operator.epoch) {
        Some(End::OtherEpoch)
    } else if facts.status.effective(facts.body.deadline, None, facts.now) != State::Pending {
        Some(End::PastEnd)
    } else {
        None
    }
}

/// Seconds of block time until an answer no longer counts.
pub fn time_left(facts: &Facts) -> u64 {
    let end = facts.body.deadline.map_or(0, |deadline| facts.status.end(deadline));
    end.saturating_sub(facts.now)
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{KeyGen, KeyParams, KeySource, Operation, RequestId};

    use super::*;

    const US: Operator = Operator { epoch: EpochId(2), party: PartyId(1) };

    fn facts() -> Facts {
        let body = RequestBody {
            v: 1,
            id: RequestId(7),
            requester: "wasm1user".into(),
            operation: Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate }),
            epoch: Some(US.epoch),
            price: 5u128.into(),
            deadline: Some(160),
            height: 9,
            time: 100,
            callback: None,
        };
        let status = Status::new(State::Pending, 0, 9, 100);
        Facts { stored_body: Vec::new(), body, status, responded: false, now: 120 }
    }

    fn rows() -> [Row; 5] {
        [
            Row::Seen,
            Row::Answered { not_before: 4 },
            Row::Posted { tx: TxHash([1; 32]), timeout_height: 9 },
            Row::Parked { reason: "x".into() },
            Row::Done { end: End::Recorded },
        ]
    }

    fn steps() -> [Step; 6] {
        [
            Step::Answer { not_before: 3 },
            Step::Post { tx: TxHash([2; 32]), timeout_height: 8 },
            Step::TakeBack { not_before: 5 },
            Step::Finish(End::Closed),
            Step::Park("y".into()),
            Step::Revive,
        ]
    }

    #[test]
    fn each_row_takes_the_steps_of_the_drawing_and_no_other() {
        let taken: Vec<_> = rows()
            .iter()
            .flat_map(|row| steps().map(|step| row.after(&step).ok().map(|after| after.stage().name())))
            .collect();
        let (a, p, k, d, s) = (Some("answered"), Some("posted"), Some("parked"), Some("done"), Some("seen"));
        let expected = [
            [a, None, None, d, k, None],
            [None, p, None, d, k, None],
            [None, None, a, d, k, None],
            [None, None, None, None, None, s],
            [None, None, None, None, None, s],
        ];
        assert_eq!(taken, expected.concat());
    }

    #[test]
    fn a_row_survives_its_json() {
        for row in rows() {
            let json = serde_json::to_vec(&row).unwrap();
            assert_eq!(serde_json::from_slice::<Row>(&json).unwrap(), row);
        }
    }

    #[test]
    fn stages_have_distinct_numbers() {
        assert_eq!(Stage::ALL.map(Stage::number), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_open_request_of_this_epoch_is_work_until_its_end() {
        assert_eq!(verdict(&facts(), US), None);
        assert_eq!(verdict(&Facts { now: 159, ..facts() }, US), None);
        assert_eq!(verdict(&Facts { now: 160, ..facts() }, US), Some(End::PastEnd));
        assert_eq!(time_left(&facts()), 40);
        assert_eq!(time_left(&Facts { now: 200, ..facts() }), 0);
    }

    #[test]
    fn a_cancellation_under_way_ends_it_earlier() {
        let mut facts = facts();
        facts.status.cancel_at = 130;
        assert_eq!((verdict(&facts, US), time_left(&facts)), (None, 10));
        facts.now = 130;
        assert_eq!(verdict(&facts, US), Some(End::PastEnd));
    }

    #[test]
    fn what_is_recorded_closed_or_anothers_is_no_work() {
        assert_eq!(verdict(&Facts { responded: true, ..facts() }, US), Some(End::Recorded));
        let closed = Facts { status: Status::new(State::Failed, 3, 9, 100), ..facts() };
        assert_eq!(verdict(&closed, US), Some(End::Closed));
        let other = Operator { epoch: EpochId(3), ..US };
        assert_eq!(verdict(&facts(), other), Some(End::OtherEpoch));
    }
}
