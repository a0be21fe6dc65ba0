use std::path::PathBuf;

use kms_asc_api::{EpochId, Failure, PartyId, Signature};
use kms_chain::{Coin, SignedTx, TxHash};
use tempfile::TempDir;

use super::*;
use crate::{
    item::Item,
    machine::{End, Row, Stage, Step},
};
use kms_asc_api::RequestId;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("inbox.redb")
    }

    fn open(&self) -> Inbox {
        Inbox::open(&self.path(), "us").unwrap()
    }
}

fn ids(ids: &[u64]) -> Vec<RequestId> {
    ids.iter().copied().map(RequestId).collect()
}

fn item(id: u64) -> Item {
    Item::Failure(Failure {
        request_id: RequestId(id),
        epoch: EpochId(1),
        party: PartyId(1),
        code: 3,
        index: 0,
        receipt: Signature::new([1; 65]).into(),
    })
}

fn tx(byte: u8, requests: &[u64]) -> StoredTx {
    let tx = SignedTx {
        bytes: vec![byte; 9],
        hash: TxHash([byte; 32]),
        sequence: 4,
        prepared_at: 10,
        timeout_height: 35,
        gas_limit: 200_000,
        fee: Coin::new(5, "ukms"),
    };
    StoredTx { tx, requests: ids(requests) }
}

fn queue(inbox: &Inbox, stage: Stage, now: u64) -> Vec<u64> {
    let found = inbox.queue(stage, now, 100, |_| true).unwrap();
    found.into_iter().map(|entry| entry.request.get()).collect()
}

#[tokio::test]
async fn a_block_is_taken_in_whole_and_only_behind_the_one_before() {
    let folder = Folder::new();
    let inbox = folder.open();
    assert_eq!(inbox.cursor().unwrap(), None);
    inbox.begin_at(9).await.unwrap();
    inbox.begin_at(3).await.unwrap();
    assert_eq!(inbox.advance(10, ids(&[1, 2])).await.unwrap(), 2);
    for height in [9, 10, 12] {
        let error = inbox.advance(height, ids(&[8])).await.unwrap_err();
        assert_eq!(error.code(), "inbox_not_contiguous", "height {height}");
    }
    assert_eq!((inbox.cursor().unwrap(), queue(&inbox, Stage::Seen, 0)), (Some(10), vec![1, 2]));
    assert_eq!(inbox.advance(11, ids(&[2, 3])).await.unwrap(), 1, "a known request has its row already");
}

#[tokio::test]
async fn a_block_that_fails_half_way_leaves_neither_rows_nor_cursor() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.begin_at(9).await.unwrap();
    let failed = inbox
        .writing(|transaction| {
            transaction.open_table(tables::NUMBER)?.insert(tables::CURSOR, 10)?;
            transaction.open_table(tables::ROW)?.insert(5, &b"{}"[..])?;
            Err::<(), _>(InboxError::NoRow(5))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!((inbox.cursor().unwrap(), inbox.rows().unwrap()), (Some(9), 0));
}

#[tokio::test]
async fn everything_is_found_again_after_the_process_died() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.begin_at(9).await.unwrap();
    inbox.advance(10, ids(&[1, 2, 3])).await.unwrap();
    inbox.answered(item(1), 0).await.unwrap();
    inbox.answered(item(2), 130).await.unwrap();
    inbox.posting(tx(7, &[1])).await.unwrap();
    drop(inbox);

    let inbox = folder.open();
    assert_eq!(inbox.cursor().unwrap(), Some(10));
    assert_eq!(queue(&inbox, Stage::Seen, 0), [3]);
    assert_eq!(inbox.answer(RequestId(2)).unwrap(), Some(item(2)));
    assert_eq!(
        inbox.row(RequestId(1)).unwrap(),
        Some(Row::Posted { tx: TxHash([7; 32]), timeout_height: 35 })
    );
    assert_eq!(inbox.transactions().unwrap(), [tx(7, &[1])]);
}

#[tokio::test]
async fn an_answer_is_ready_from_its_time_on() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.admit(ids(&[1, 2])).await.unwrap();
    inbox.answered(item(1), 130).await.unwrap();
    inbox.answered(item(2), 0).await.unwrap();
    assert_eq!(queue(&inbox, Stage::Answered, 129), [2]);
    assert_eq!(queue(&inbox, Stage::Answered, 130), [2, 1]);
    assert_eq!(inbox.queue(Stage::Answered, 130, 1, |id| id.get() != 2).unwrap()[0].request, RequestId(1));
}

#[tokio::test]
async fn a_transaction_and_its_rows_change_together_or_not_at_all() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.admit(ids(&[1, 2])).await.unwrap();
    inbox.answered(item(1), 0).await.unwrap();
    let error = inbox.posting(tx(7, &[1, 2])).await.unwrap_err();
    assert_eq!(error.code(), "inbox_illegal_step");
    assert!(inbox.transactions().unwrap().is_empty());
    assert_eq!(queue(&inbox, Stage::Answered, 0), [1]);

    inbox.posting(tx(7, &[1])).await.unwrap();
    let unknown =
        vec![(RequestId(1), Step::Finish(End::Recorded)), (RequestId(9), Step::Finish(End::Closed))];
    assert_eq!(inbox.settled(TxHash([7; 32]), unknown).await.unwrap_err().code(), "inbox_no_row");
    assert_eq!((inbox.transactions().unwrap().len(), queue(&inbox, Stage::Posted, 0)), (1, vec![1]));

    inbox.settled(TxHash([7; 32]), vec![(RequestId(1), Step::Finish(End::Recorded))]).await.unwrap();
    assert!(inbox.transactions().unwrap().is_empty());
    assert_eq!((queue(&inbox, Stage::Done, 0), inbox.count(Stage::Posted).unwrap()), (vec![1], 0));
}

#[tokio::test]
async fn finished_rows_stay_as_long_as_their_request_is_open() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.admit(ids(&[1, 2, 3])).await.unwrap();
    let steps = vec![(RequestId(1), Step::Finish(End::PastEnd)), (RequestId(2), Step::Park("x".into()))];
    inbox.steps(steps).await.unwrap();
    assert_eq!(inbox.forget_closed(ids(&[2]).into_iter().collect()).await.unwrap(), 1);
    assert_eq!((inbox.row(RequestId(1)).unwrap(), inbox.rows().unwrap()), (None, 2));
    assert_eq!(inbox.revive(ids(&[1, 2, 3]), |_| true).await.unwrap(), 1);
    assert_eq!(queue(&inbox, Stage::Seen, 0), [2, 3]);
}

#[tokio::test]
async fn what_was_given_up_is_counted_by_reason() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.admit(ids(&[1, 2, 3, 4])).await.unwrap();
    let park = |id, reason: &str| (RequestId(id), Step::Park(reason.into()));
    inbox.steps(vec![park(1, "wrong_epoch"), park(2, "tx_too_large"), park(4, "wrong_epoch")]).await.unwrap();
    let counted = inbox.parked().unwrap();
    assert_eq!(counted, [("tx_too_large".to_owned(), 1), ("wrong_epoch".to_owned(), 2)].into());
}

#[tokio::test]
async fn a_trial_of_the_disk_changes_nothing_else() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.probe().await.unwrap();
    inbox.probe().await.unwrap();
    assert_eq!((inbox.cursor().unwrap(), inbox.rows().unwrap()), (None, 0));
}

#[tokio::test]
async fn the_cursor_jumps_forward_only() {
    let folder = Folder::new();
    let inbox = folder.open();
    inbox.begin_at(9).await.unwrap();
    inbox.jump(500).await.unwrap();
    assert_eq!(inbox.jump(499).await.unwrap_err().code(), "inbox_not_contiguous");
    assert_eq!(inbox.cursor().unwrap(), Some(500));
}

#[test]
fn a_file_of_another_operator_or_one_in_use_is_refused() {
    let folder = Folder::new();
    let inbox = folder.open();
    assert_eq!(Inbox::open(&folder.path(), "us").unwrap_err().code(), "inbox_in_use");
    drop(inbox);
    let error = Inbox::open(&folder.path(), "them").unwrap_err();
    assert_eq!(error.code(), "inbox_foreign");
    assert!(error.to_string().contains("us") && error.to_string().contains("them"), "{error}");
}
