//! Which headers are trusted. A header is kept when it was verified from the nearest trusted one below it; the newest 50 heights
//! are open to further headers, so that a second one of the same height is seen.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kms_proofs::{
    HeaderError, LightBlock, Time, TrustOptions, VerifiedHeader, anchor, header_id, verify_header,
};

use super::{Missing, Refusal, decision, ledger::Ledger, ledger::LedgerError};
use crate::{Anchor, Error, config};

/// How far behind the newest a header may lie.
const WINDOW: u64 = 50;

/// This machine's clock.
pub(crate) fn clock() -> Time {
    Time::of(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(super) struct HeaderTrust {
    options: TrustOptions,
    max_age: Duration,
    data_dir: PathBuf,
    ledger: Ledger,
    seen: Mutex<Seen>,
}

struct Seen {
    /// What a person named; of use until a light block has shown it.
    anchor: Anchor,
    headers: BTreeMap<u64, Known>,
    halted: Option<u64>,
}

#[derive(Clone)]
struct Known {
    header: Arc<VerifiedHeader>,
    block: Arc<LightBlock>,
}

impl HeaderTrust {
    /// Opens the headers in `data_dir`; without any, the configured one is the first.
    pub(super) fn open(data_dir: &Path, chain_id: &str, pins: &config::Trust) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(&data_dir.join("trust.redb"), chain_id)?;
        let contents = ledger.contents()?;
        let known = |(header, block): (VerifiedHeader, LightBlock)| {
            (header.height(), Known { header: Arc::new(header), block: Arc::new(block) })
        };
        let seen = Seen {
            anchor: contents.anchor.unwrap_or(pins.header),
            headers: contents.headers.into_iter().map(known).collect(),
            halted: contents.halted,
        };
        Ok(Self {
            options: TrustOptions {
                chain_id: chain_id.to_owned(),
                trusting_period: pins.trusting_period,
                clock_drift: pins.clock_drift,
            },
            max_age: pins.max_header_age,
            data_dir: data_dir.to_owned(),
            ledger,
            seen: Mutex::new(seen),
        })
    }

    /// Height and hash of the newest header; of the anchor, until a light block has shown it.
    pub(super) fn newest(&self) -> (u64, [u8; 32]) {
        let seen = self.seen();
        seen.newest().map_or((seen.anchor.height, *seen.anchor.hash.as_bytes()), |newest| {
            (newest.header.height(), newest.header.hash())
        })
    }

    /// How old the newest header is by its time; none, if none was shown yet.
    pub(super) fn age(&self, now: Time) -> Option<Duration> {
        self.seen().newest().map(|newest| newest.header.time().age(now))
    }

    /// Whether no two valid headers of one height were seen.
    pub(super) fn check_conflict(&self) -> Result<(), Refusal> {
        self.seen().check_halted()
    }

    /// Verifies and keeps light blocks, in their order.
    pub(super) fn learn(&self, blocks: &[LightBlock], now: Time) -> Result<(), Error> {
        let mut seen = self.current(now)?;
        seen.check_halted()?;
        blocks.iter().try_for_each(|block| self.learn_one(&mut seen, block, now))
    }

    /// The header that commits to the state of a height, if that is neither too old nor too far behind.
    pub(super) fn committing_to(&self, state_height: u64, now: Time) -> Result<Arc<VerifiedHeader>, Error> {
        let seen = self.current(now)?;
        seen.check_halted()?;
        let height = state_height.saturating_add(1);
        seen.check_window(height)?;
        let Some(known) = seen.headers.get(&height) else { return Err(seen.missing(height).into()) };
        let header = known.header.clone();
        self.check_period(&header, now)?;
        let (age, allowed) = (header.time().age(now), self.max_age);
        match age <= allowed {
            true => Ok(header),
            false => Err(Refusal::Old { height, age: age.as_secs(), allowed: allowed.as_secs() }.into()),
        }
    }

    /// Whether further headers can be verified now.
    pub(super) fn check(&self, now: Time) -> Result<(), Refusal> {
        let seen = self.seen();
        seen.newest().map_or(Ok(()), |newest| self.check_period(&newest.header, now))
    }

    fn learn_one(&self, seen: &mut Seen, block: &LightBlock, now: Time) -> Result<(), Error> {
        let (height, hash) = header_id(block).map_err(Refusal::from)?;
        if seen.headers.get(&height).is_some_and(|known| known.header.hash() == hash) {
            return Ok(());
        }
        let header = match seen.headers.is_empty() {
            true => self.anchored(seen, block, height, now)?,
            false => self.verified(seen, block, height, now)?,
        };
        if let Some(other) = seen.conflict(&header) {
            return Err(self.halt(seen, height, &other, block, now));
        }
        let known = Known { header: Arc::new(header), block: Arc::new(block.clone()) };
        let forgotten = seen.behind(height);
        self.ledger
            .keep(&known.header, block, &forgotten)
            .map_err(|error| Error::internal("keeping a trusted header", &error))?;
        forgotten.iter().for_each(|height| drop(seen.headers.remove(height)));
        seen.headers.insert(height, known);
        Ok(())
    }

    /// The first header of all: the one that a person named.
    fn anchored(
        &self,
        seen: &Seen,
        block: &LightBlock,
        height: u64,
        now: Time,
    ) -> Result<VerifiedHeader, Refusal> {
        let Anchor { height: expected, hash } = seen.anchor;
        if height != expected {
            return Err(Refusal::Incomplete { missing: Missing::LightBlock { height: expected } });
        }
        let header = anchor(block, expected, *hash.as_bytes(), &self.options, now)?;
        tracing::info!(height, header = %seen.anchor, "the header that a person named is shown");
        Ok(header)
    }

    /// From the nearest trusted header below.
    fn verified(
        &self,
        seen: &Seen,
        block: &LightBlock,
        height: u64,
        now: Time,
    ) -> Result<VerifiedHeader, Refusal> {
        seen.check_window(height)?;
        let below = seen.headers.range(..height).next_back();
        let newest = seen.newest().map_or(0, |newest| newest.header.height());
        let (_, trusted) = below.ok_or(Refusal::Behind { height, newest })?;
        verify_header(&trusted.header, block, &self.options, now).map_err(|error| match error {
            // What is below the newest may be too old while the newest is not.
            HeaderError::TrustExpired { height: expired, .. } if expired < newest => {
                Refusal::Behind { height, newest }
            }
            error => error.into(),
        })
    }

    fn check_period(&self, header: &VerifiedHeader, now: Time) -> Result<(), Refusal> {
        let expired = Time::of(header.time().since_epoch().saturating_add(self.options.trusting_period));
        match now < expired {
            true => Ok(()),
            false => Err(Refusal::TrustExpired { height: header.height(), expired }),
        }
    }

    /// Stops all work: evidence first, then the note that survives a restart.
    fn halt(&self, seen: &mut Seen, height: u64, other: &Known, block: &LightBlock, now: Time) -> Error {
        let blocks = [&*other.block, block];
        match decision::write_evidence(&self.data_dir, &self.options.chain_id, height, blocks, now.seconds) {
            Ok(file) => tracing::error!(
                height, evidence = %file.display(),
                "two valid headers: nothing is done until a person has looked; see `kms-core trust`"
            ),
            Err(error) => {
                tracing::error!(height, %error, "two valid headers, and no evidence could be written")
            }
        }
        seen.halted = Some(height);
        match self.ledger.halt(height) {
            Ok(()) => Refusal::ConflictingHeaders { height }.into(),
            Err(error) => Error::internal("noting two headers of one height", &error),
        }
    }

    /// The headers, after a decision that waits was taken up.
    fn current(&self, now: Time) -> Result<MutexGuard<'_, Seen>, Error> {
        let mut seen = self.seen();
        match decision::pending(&self.data_dir) {
            None => {}
            Some(Ok(anchor)) => self.take_up(&mut seen, anchor, now)?,
            Some(Err(reason)) => tracing::error!(reason, "the decision in the data folder cannot be read"),
        }
        Ok(seen)
    }

    fn take_up(&self, seen: &mut Seen, anchor: Anchor, now: Time) -> Result<(), Error> {
        let failed =
            |error: &dyn std::error::Error| Error::internal("taking up a decision about trust", error);
        self.ledger.begin_from(anchor).map_err(|error| failed(&error))?;
        let (height, hash) = seen
            .newest()
            .map_or((0, String::new()), |newest| (newest.header.height(), hex::encode(newest.header.hash())));
        tracing::warn!(header = %anchor, before = %format!("{height}:{hash}"), halted = ?seen.halted,
            "a person decided which header to trust: beginning anew from it");
        *seen = Seen { anchor, headers: BTreeMap::new(), halted: None };
        decision::taken_up(&self.data_dir, anchor, now.seconds).map_err(|error| failed(&error))
    }

    /// A panic while the lock is held leaves at worst a header that is on disk and not here.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn newest(&self) -> Option<&Known> {
        self.headers.last_key_value().map(|(_, known)| known)
    }

    fn check_halted(&self) -> Result<(), Refusal> {
        self.halted.map_or(Ok(()), |height| Err(Refusal::ConflictingHeaders { height }))
    }

    fn check_window(&self, height: u64) -> Result<(), Refusal> {
        let newest = self.newest().map_or(0, |newest| newest.header.height());
        match height.saturating_add(WINDOW) >= newest {
            true => Ok(()),
            false => Err(Refusal::Behind { height, newest }),
        }
    }

    /// What must be shown before a height can be: the anchor, if nothing was shown yet.
    fn missing(&self, height: u64) -> Refusal {
        let height = if self.headers.is_empty() { self.anchor.height } else { height };
        Refusal::Incomplete { missing: Missing::LightBlock { height } }
    }

    /// A trusted header that cannot be of the same chain of blocks as this valid one: another of its height, or a neighbour
    /// that follows, or is followed by, another.
    fn conflict(&self, header: &VerifiedHeader) -> Option<Known> {
        let at = |height: Option<u64>| height.and_then(|height| self.headers.get(&height));
        let same = at(Some(header.height()));
        let before = at(header.height().checked_sub(1));
        let before = before.filter(|known| header.previous() != Some(known.header.hash()));
        let after = at(header.height().checked_add(1));
        let after = after.filter(|known| known.header.previous() != Some(header.hash()));
        same.or(before).or(after).cloned()
    }

    /// Heights that are of no use once `height` is trusted: all behind the window but the highest, from which the lowest
    /// of the window is verified.
    fn behind(&self, height: u64) -> Vec<u64> {
        let newest = self.newest().map_or(height, |newest| newest.header.height().max(height));
        let mut behind: Vec<_> =
            self.headers.range(..newest.saturating_sub(WINDOW)).map(|(height, _)| *height).collect();
        behind.pop();
        behind
    }
}
