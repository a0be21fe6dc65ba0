use std::time::Duration;

use tokio::sync::oneshot;

use super::*;
use crate::weight::Lane;

const LIGHT: Weight = Weight { lane: Lane::Decryption, time: Duration::from_millis(1), bytes: 100 };

/// For so many requests at a time, of which one runs in each lane.
fn desk(max_requests: usize) -> Desk {
    Desk::new(&Limits { max_requests, parallel_work: 1, ..Limits::default() })
}

fn answer(id: u64) -> Answer {
    Answer { request_id: id, ..Answer::default() }
}

fn hash(byte: u8) -> Digest {
    Digest::new([byte; 32])
}

#[tokio::test]
async fn who_asks_meanwhile_waits_for_the_same_work() {
    let desk = desk(8);
    let (go, gone) = oneshot::channel::<()>();
    let first = desk
        .join_or_start(1, hash(1), LIGHT, |_| async {
            gone.await.ok();
            Ok(answer(1))
        })
        .unwrap();
    let second = desk.join_or_start(1, hash(1), LIGHT, |_| async { Ok(answer(2)) }).unwrap();
    let third = desk.find(1, &hash(1)).unwrap().unwrap();
    go.send(()).unwrap();
    for ticket in [first, second, third] {
        assert_eq!(ticket.outcome().await, Ok(answer(1)));
    }
}

#[tokio::test]
async fn another_hash_under_the_same_id_is_a_conflict() {
    let desk = desk(8);
    let _running = desk.join_or_start(1, hash(1), LIGHT, |_| std::future::pending()).unwrap();
    let conflict = Err(Error::RequestConflict { request_id: 1 });
    assert_eq!(desk.join_or_start(1, hash(2), LIGHT, |_| std::future::pending()).map(|_| ()), conflict);
    assert_eq!(desk.find(1, &hash(2)).map(|_| ()), conflict);
}

#[tokio::test]
async fn work_goes_on_when_nobody_waits_and_leaves_the_desk_empty() {
    let desk = desk(8);
    let (done, finished) = oneshot::channel();
    drop(desk.join_or_start(1, hash(1), LIGHT, |_| async {
        done.send(()).ok();
        Ok(answer(1))
    }));
    finished.await.unwrap();
    desk.close();
    desk.drained().await;
    assert!(desk.find(1, &hash(1)).unwrap().is_none());
}

#[tokio::test]
async fn work_that_panics_is_an_internal_error_and_can_be_started_anew() {
    let desk = desk(8);
    let panics = |_| async { panic!("on purpose") };
    let error = desk.join_or_start(1, hash(1), LIGHT, panics).unwrap().outcome().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // The entry goes with the panicking task, at the latest when the task is over.
    while desk.find(1, &hash(1)).unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    let again = desk.join_or_start(1, hash(1), LIGHT, |_| async { Ok(answer(1)) }).unwrap();
    assert_eq!(again.outcome().await, Ok(answer(1)));
}

#[tokio::test]
async fn a_full_or_closed_desk_takes_no_new_work_but_gives_what_runs() {
    let desk = desk(1);
    let (go, gone) = oneshot::channel::<()>();
    let running = desk
        .join_or_start(1, hash(1), LIGHT, |_| async {
            gone.await.ok();
            Ok(answer(1))
        })
        .unwrap();
    let start = |id| desk.join_or_start(id, hash(1), LIGHT, |_| std::future::pending()).map(|_| ());
    assert_eq!(start(2), Err(Error::Busy { bound: "requests", limit: 1 }));
    assert_eq!(start(1), Ok(()));
    desk.close();
    assert_eq!(start(2), Err(Error::ShuttingDown));
    assert_eq!(start(1), Ok(()));
    go.send(()).unwrap();
    desk.drained().await;
    assert_eq!(running.outcome().await, Ok(answer(1)));
}

#[tokio::test]
async fn abandoned_work_tells_those_who_wait_and_leaves_the_desk_empty() {
    let desk = desk(8);
    let running = desk.join_or_start(1, hash(1), LIGHT, |_| std::future::pending()).unwrap();
    desk.close();
    desk.abandon();
    assert_eq!(running.outcome().await, Err(Error::ShuttingDown));
    desk.drained().await;
    assert!(desk.find(1, &hash(1)).unwrap().is_none());
}

/// Work that waits for its turn, says so by `begun`, and ends when `go` does.
fn queued(desk: &Desk, id: u64, weight: Weight) -> (Ticket, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let (begins, begun) = oneshot::channel();
    let (go, gone) = oneshot::channel::<()>();
    let work = move |turn: Turn| async move {
        let slot = turn.begin().await.map_err(|Unwanted| Error::ShuttingDown)?;
        begins.send(()).ok();
        gone.await.ok();
        drop(slot);
        Ok(answer(id))
    };
    (desk.join_or_start(id, hash(1), weight, work).unwrap(), begun, go)
}

#[tokio::test]
async fn work_that_nobody_waits_for_is_dropped_before_it_begins() {
    let desk = desk(8);
    let (first, begun, go) = queued(&desk, 1, LIGHT);
    begun.await.unwrap();
    let (second, never, _second_go) = queued(&desk, 2, LIGHT);
    assert_eq!(desk.load().requests, 2);
    drop(second);
    assert!(never.await.is_err());
    assert_eq!(desk.load(), Load { requests: 1, work: LIGHT.time, bytes: LIGHT.bytes });

    // The room that it waited for goes to the next.
    let (third, begun, third_go) = queued(&desk, 3, LIGHT);
    go.send(()).unwrap();
    assert_eq!(first.outcome().await, Ok(answer(1)));
    begun.await.unwrap();
    third_go.send(()).unwrap();
    assert_eq!(third.outcome().await, Ok(answer(3)));
}

#[tokio::test]
async fn one_of_two_who_wait_may_leave() {
    let desk = desk(8);
    let (_first, begun, go) = queued(&desk, 1, LIGHT);
    begun.await.unwrap();
    let (second, begun, second_go) = queued(&desk, 2, LIGHT);
    let joined = desk.find(2, &hash(1)).unwrap().unwrap();
    drop(second);
    go.send(()).unwrap();
    begun.await.unwrap();
    second_go.send(()).unwrap();
    assert_eq!(joined.outcome().await, Ok(answer(2)));
}

#[tokio::test]
async fn work_that_has_begun_is_finished_when_nobody_waits() {
    let desk = desk(8);
    let (ticket, begun, go) = queued(&desk, 1, LIGHT);
    begun.await.unwrap();
    drop(ticket);
    let again = desk.find(1, &hash(1)).unwrap().unwrap();
    go.send(()).unwrap();
    assert_eq!(again.outcome().await, Ok(answer(1)));
}

#[tokio::test]
async fn dear_work_does_not_stand_in_the_way_of_cheap_work() {
    let desk = desk(8);
    let dear = |lane| Weight { lane, ..LIGHT };
    let (_key, key_begun, _key_go) = queued(&desk, 1, dear(Lane::Generation));
    let (_input, input_begun, _input_go) = queued(&desk, 2, dear(Lane::Verification));
    let (cheap, begun, go) = queued(&desk, 3, LIGHT);
    for begun in [key_begun, input_begun, begun] {
        begun.await.unwrap();
    }
    go.send(()).unwrap();
    assert_eq!(cheap.outcome().await, Ok(answer(3)));
}
