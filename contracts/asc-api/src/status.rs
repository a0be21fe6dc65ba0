//! What has become of a request: the one part of it that changes.

use std::fmt;
use std::str::FromStr;

use cosmwasm_schema::cw_serde;
use kms_callback::EndState;

use crate::{DecodeError, DenialReason, FailureCode, PartyId};

/// Where a request stands. Nothing leaves a terminal state.
#[cw_serde]
#[derive(Copy, Eq, Hash)]
pub enum State {
    /// 0: waiting for answers.
    Pending,
    /// 1: answered.
    Fulfilled,
    /// 2: cannot be answered.
    Failed,
    /// 3: not answered in time.
    Expired,
    /// 4: taken back by the requester.
    Cancelled,
    /// 5: refused at submission.
    Denied,
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Fulfilled, Self::Failed, Self::Expired, Self::Cancelled, Self::Denied];

    /// The number in the stored status.
    pub const fn number(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Fulfilled => 1,
            Self::Failed => 2,
            Self::Expired => 3,
            Self::Cancelled => 4,
            Self::Denied => 5,
        }
    }

    /// The name in JSON and events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Fulfilled => "fulfilled",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Denied => "denied",
        }
    }

    /// Whether nothing can change any more.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending)
    }

    /// How a request that was accepted ended; none while it is pending, or if it was denied.
    pub const fn end(self) -> Option<EndState> {
        match self {
            Self::Pending | Self::Denied => None,
            Self::Fulfilled => Some(EndState::Fulfilled),
            Self::Failed => Some(EndState::Failed),
            Self::Expired => Some(EndState::Expired),
            Self::Cancelled => Some(EndState::Cancelled),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
            format!(
                "unknown state {text}, allowed are pending, fulfilled, failed, expired, cancelled, denied"
            )
        })
    }
}

/// The stored status: 43 bytes under `status`, integers big-endian, in the order of the fields,
/// behind a version byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where the request stands.
    pub state: State,
    /// Failure code of a failed request, denial reason of a denied one, else 0.
    pub code: u8,
    /// Block height of the last change of state.
    pub height: u64,
    /// Block time of the last change of state, seconds.
    pub time: u64,
    /// Block time at which a requested cancellation takes effect; 0 if none is under way.
    pub cancel_at: u64,
    /// Parties that answered in time, by [`PartyId::bit`].
    pub answered: u32,
    /// Parties that reported a failure in time.
    pub failed: u32,
    /// Parties that signed two different receipts.
    pub equivocated: u32,
    /// First party with the payload that decided; 0 if none has.
    pub winner: u32,
}

impl Status {
    /// The version that this code writes.
    pub const VERSION: u8 = 1;
    /// Length of the stored form.
    pub const LEN: usize = 43;

    /// The status of a new request.
    pub const fn new(state: State, code: u8, height: u64, time: u64) -> Self {
        Self { state, code, height, time, cancel_at: 0, answered: 0, failed: 0, equivocated: 0, winner: 0 }
    }

    /// The stored form.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0u8; Self::LEN];
        out[0] = Self::VERSION;
        out[1] = self.state.number();
        out[2] = self.code;
        out[3..11].copy_from_slice(&self.height.to_be_bytes());
        out[11..19].copy_from_slice(&self.time.to_be_bytes());
        out[19..27].copy_from_slice(&self.cancel_at.to_be_bytes());
        out[27..31].copy_from_slice(&self.answered.to_be_bytes());
        out[31..35].copy_from_slice(&self.failed.to_be_bytes());
        out[35..39].copy_from_slice(&self.equivocated.to_be_bytes());
        out[39..43].copy_from_slice(&self.winner.to_be_bytes());
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are no status of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().map_err(|_| DecodeError::Length {
            record: "status",
            given: bytes.len(),
            allowed: "43",
        })?;
        let value =
            |field, given: u8| DecodeError::Value { record: "status", field, given: u64::from(given) };
        if bytes[0] != Self::VERSION {
            return Err(value("v", bytes[0]));
        }
        let state = State::ALL.get(usize::from(bytes[1])).copied().ok_or_else(|| value("state", bytes[1]))?;
        Ok(Self {
            state,
            code: bytes[2],
            height: be_u64(bytes, 3),
            time: be_u64(bytes, 11),
            cancel_at: be_u64(bytes, 19),
            answered: be_u32(bytes, 27),
            failed: be_u32(bytes, 31),
            equivocated: be_u32(bytes, 35),
            winner: be_u32(bytes, 39),
        })
    }

    /// Why the request failed, if it did.
    pub fn failure(&self) -> Option<FailureCode> {
        (self.state == State::Failed).then(|| FailureCode::try_from(self.code).ok()).flatten()
    }

    /// Why the request was denied, if it was.
    pub fn denial(&self) -> Option<DenialReason> {
        (self.state == State::Denied).then(|| DenialReason::try_from(self.code).ok()).flatten()
    }

    /// Parties whose answer or failure counts.
    pub const fn heard(&self) -> u32 {
        self.answered | self.failed
    }

    /// The block time from which nothing counts any more: the deadline, or the cancellation if earlier.
    pub fn end(&self, deadline: u64) -> u64 {
        if self.cancel_at == 0 { deadline } else { deadline.min(self.cancel_at) }
    }

    /// The state that closing would give at `now`: a pending request whose epoch was revoked before its end is
    /// failed, one past its end expired or cancelled, though nobody has closed it yet.
    pub fn effective(&self, deadline: Option<u64>, revoked_at: Option<u64>, now: u64) -> State {
        let (State::Pending, Some(deadline)) = (self.state, deadline) else { return self.state };
        let end = self.end(deadline);
        if revoked_at.is_some_and(|revoked_at| revoked_at < end) {
            State::Failed
        } else if now < end {
            State::Pending
        } else if end < deadline {
            State::Cancelled
        } else {
            State::Expired
        }
    }

    /// The parties whose bits are set, ascending.
    pub fn parties(bits: u32) -> impl Iterator<Item = PartyId> {
        (1..=PartyId::MAX).map(PartyId).filter(move |party| bits & party.bit() != 0)
    }
}

fn be_u64(bytes: &[u8; Status::LEN], at: usize) -> u64 {
    bytes[at..at + 8].iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

fn be_u32(bytes: &[u8; Status::LEN], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |value, byte| (value << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status {
            state: State::Failed,
            code: 3,
            height: 0x0102_0304_0506_0708,
            time: 2,
            cancel_at: 3,
            answered: 0x0a0b_0c0d,
            failed: 5,
            equivocated: 6,
            winner: 7,
        }
    }

    #[test]
    fn the_stored_form_has_its_documented_layout() {
        let bytes = status().encode();
        assert_eq!(bytes[..3], [1, 2, 3]);
        assert_eq!(bytes[3..11], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[27..31], [10, 11, 12, 13]);
        assert_eq!(Status::decode(&bytes).unwrap(), status());
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let mut bytes = status().encode();
        assert!(Status::decode(&bytes[1..]).is_err());
        bytes[1] = 6;
        assert!(Status::decode(&bytes).is_err());
        bytes[0] = 2;
        assert!(Status::decode(&bytes).is_err());
    }

    #[test]
    fn a_pending_request_is_due_from_its_end_on_and_no_second_earlier() {
        let mut status = Status::new(State::Pending, 0, 1, 1);
        assert_eq!(status.effective(Some(100), None, 99), State::Pending);
        assert_eq!(status.effective(Some(100), None, 100), State::Expired);
        status.cancel_at = 50;
        assert_eq!(status.effective(Some(100), None, 49), State::Pending);
        assert_eq!(status.effective(Some(100), None, 50), State::Cancelled);
        status.cancel_at = 100;
        assert_eq!(status.effective(Some(100), None, 100), State::Expired);
    }

    /// So that what a request will become never changes with the moment at which somebody looks.
    #[test]
    fn of_revocation_and_end_the_earlier_one_decides() {
        let status = Status::new(State::Pending, 0, 1, 1);
        for now in [60, 100, 1000] {
            assert_eq!(status.effective(Some(100), Some(60), now), State::Failed);
        }
        assert_eq!(status.effective(Some(100), Some(100), 100), State::Expired);
        let fulfilled = Status::new(State::Fulfilled, 0, 1, 1);
        assert_eq!(fulfilled.effective(Some(100), Some(60), 1000), State::Fulfilled);
    }

    #[test]
    fn a_state_that_is_an_end_has_the_same_name_as_one() {
        for state in State::ALL {
            let named = |end| serde_json::to_string(&end).unwrap() == format!("\"{state}\"");
            assert_eq!(state.end().is_some_and(named), state.is_terminal() && state != State::Denied);
        }
    }

    #[test]
    fn bit_sets_name_their_parties() {
        assert_eq!(Status::parties(0b101).collect::<Vec<_>>(), [PartyId(1), PartyId(3)]);
    }
}
