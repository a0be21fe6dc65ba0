//! Lets only so many calls in at a time, before their messages are read.

use std::{sync::Arc, time::Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Status, service::Interceptor};

use crate::{Error, metrics::Metrics};

/// The gate. Clones are the same gate.
#[derive(Clone)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    limit: usize,
    metrics: Arc<Metrics>,
}

/// The place of a call that was let in, until the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Place {
    /// When it was let in, before its message was read.
    pub(crate) since: Instant,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Gate {
    pub(crate) fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(limit)), limit, metrics }
    }

    /// How many calls are in.
    pub(crate) fn occupied(&self) -> u64 {
        as_u64(self.limit.saturating_sub(self.places.available_permits()))
    }
}

impl Interceptor for Gate {
    fn call(&mut self, mut call: Request<()>) -> Result<Request<()>, Status> {
        let Ok(permit) = self.places.clone().try_acquire_owned() else {
            let busy = Error::Busy { bound: "calls", limit: as_u64(self.limit) };
            self.metrics.refused(busy.code());
            return Err(busy.into());
        };
        call.extensions_mut().insert(Place { since: Instant::now(), _permit: Arc::new(permit) });
        Ok(call)
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use kms_core_proto::reason;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_call_over_the_limit_is_refused_until_another_has_left() {
        let metrics = Arc::new(Metrics::default());
        let mut gate = Gate::new(1, metrics.clone());
        let inside = gate.call(Request::new(())).unwrap();
        assert_eq!(gate.occupied(), 1);
        let status = gate.clone().call(Request::new(())).unwrap_err();
        assert_eq!(status.get_details_error_info().unwrap().reason, reason::BUSY);
        let text = metrics.text(Default::default()).unwrap();
        assert!(text.contains("kms_core_refusals_total{reason=\"busy\"} 1"), "{text}");
        drop(inside);
        gate.call(Request::new(())).unwrap();
    }
}
