//! Waiting for a request's end, by looking at contract state.

use std::{future::Future, time::Duration};

use kms_asc_api::{RequestId, RequestView};
use tokio::time::Instant;

use crate::{
    error::{Error, Result},
    progress::Step,
};

/// How patient waiting is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Pause between two looks.
    pub poll: Duration,
    /// How long a request that is past its end may stay unclosed: somebody may be about to close it.
    pub unclosed: Duration,
    /// How much longer than the request's own time waiting lasts, whatever the chain says: it may have stopped.
    pub grace: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(200),
            unclosed: Duration::from_secs(3),
            grace: Duration::from_secs(30),
        }
    }
}

/// Looks until the request is terminal in contract state.
///
/// Errors that a second look may mend are looked over until patience ends.
///
/// # Errors
/// [`Error::NotClosed`] if it is past its end and stays unclosed, [`Error::WaitedTooLong`] if the chain does not get there.
pub async fn until_finished<F>(
    id: RequestId,
    patience: Patience,
    step: &Step,
    mut look: impl FnMut() -> F,
) -> Result<RequestView>
where
    F: Future<Output = Result<RequestView>>,
{
    let begun = Instant::now();
    let mut limit = patience.grace;
    let mut due_since = None;
    loop {
        match look().await {
            Ok(view) if view.state.is_terminal() && !view.due => return Ok(view),
            Ok(view) if view.due => {
                let since = *due_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= patience.unclosed {
                    return Err(Error::NotClosed { id });
                }
                step.update(format_args!("request {id} is past its end; waiting for somebody to close it"));
            }
            Ok(view) => {
                let lasts = view.body.deadline.map_or(0, |deadline| deadline.saturating_sub(view.body.time));
                limit = Duration::from_secs(lasts).saturating_add(patience.grace);
                step.update(waiting(&view, begun.elapsed()));
            }
            Err(Error::Chain(error)) if error.is_retryable() && begun.elapsed() < limit => {
                step.update(format_args!("request {id}: {error}; trying again"));
            }
            Err(error) => return Err(error),
        }
        if begun.elapsed() >= limit {
            return Err(Error::WaitedTooLong { id, seconds: begun.elapsed().as_secs() });
        }
        tokio::time::sleep(patience.poll).await;
    }
}

fn waiting(view: &RequestView, elapsed: Duration) -> String {
    let heard = view.answered.len().saturating_add(view.failed.len());
    let answers = if heard == 0 { "no answer yet".to_owned() } else { format!("heard from {heard}") };
    let lasts = view.body.deadline.map_or(0, |deadline| deadline.saturating_sub(view.body.time));
    format!("waiting for request {}: {answers}, {} of {lasts} s", view.body.id, elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use kms_asc_api::{Digest, KeyGen, KeyParams, KeySource, Operation, RequestBody, State};

    use super::*;
    use crate::progress::Progress;

    const QUICK: Patience = Patience {
        poll: Duration::from_millis(1),
        unclosed: Duration::from_millis(5),
        grace: Duration::from_millis(5),
    };

    fn view(state: State, due: bool) -> RequestView {
        let source = KeySource::Generate;
        let body = RequestBody {
            v: 1,
            id: RequestId(7),
            requester: "wasm1user".into(),
            operation: Operation::KeyGen(KeyGen { params: KeyParams::Test, source }),
            epoch: None,
            price: 1u128.into(),
            deadline: Some(100),
            height: 1,
            time: 100,
            callback: None,
        };
        RequestView {
            body,
            request_hash: Digest::sha256(b"body"),
            state,
            due,
            code: None,
            reason: None,
            height: 1,
            time: 1,
            cancel_at: None,
            answered: vec![],
            failed: vec![],
            equivocated: vec![],
            winner: None,
        }
    }

    const OFFLINE: fn() -> Error =
        || kms_chain::Error::Unreachable { method: "abci_query", reason: "refused".into() }.into();

    /// Gives the looks in order, and the last one again and again.
    async fn wait(looks: Vec<Result<RequestView, fn() -> Error>>) -> Result<RequestView> {
        let looks = RefCell::new(looks);
        let step = Progress::Silent.begin("");
        until_finished(RequestId(7), QUICK, &step, || {
            let mut looks = looks.borrow_mut();
            let look = if looks.len() > 1 { looks.remove(0) } else { looks[0].clone() };
            async move { look.map_err(|make| make()) }
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_state_ends_the_waiting_and_silence_of_the_node_does_not() {
        let looks = vec![Ok(view(State::Pending, false)), Err(OFFLINE), Ok(view(State::Fulfilled, false))];
        assert_eq!(wait(looks).await.unwrap().state, State::Fulfilled);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_due_is_given_a_moment_to_be_closed() {
        let looks = vec![Ok(view(State::Expired, true)), Ok(view(State::Expired, false))];
        assert_eq!(wait(looks).await.unwrap().state, State::Expired);
        let error = wait(vec![Ok(view(State::Expired, true))]).await.unwrap_err();
        assert_eq!((error.code(), error.exit().number()), ("not_closed", 5));
        assert!(error.to_string().contains("kms request close 7"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_chain_that_does_not_move_ends_the_waiting() {
        let error = wait(vec![Ok(view(State::Pending, false))]).await.unwrap_err();
        assert_eq!((error.code(), error.exit().number()), ("waited_too_long", 5));
        let error = wait(vec![Err(OFFLINE)]).await.unwrap_err();
        assert_eq!(error.code(), "node_unreachable");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_second_look_cannot_mend_ends_the_waiting_at_once() {
        let refused = || {
            let message = "[unknown_request] there is no request 7".to_owned();
            Error::from(kms_chain::Error::ContractQuery { contract: "wasm1asc".into(), message })
        };
        let error = wait(vec![Err(refused), Ok(view(State::Fulfilled, false))]).await.unwrap_err();
        assert_eq!(error.code(), "unknown_request");
    }
}
