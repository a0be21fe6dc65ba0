//! What the tests have in common.

use std::{future::Future, time::Duration};

use kms_asc_api::{
    Answer, Ciphertext, CiphertextFormat, Digest, EpochId, FheType, Handle, KeyId, Operation, PartyId,
    Provenance, PublicDecrypt, RequestBody, RequestId, Signature, State, Status,
};
use kms_connector::{
    inbox::Inbox,
    item::Item,
    machine::{Facts, Operator, Row, Stage},
};
use kms_proofs::ContractAddress;
use tempfile::TempDir;

/// Whom the tests serve.
pub const US: Operator = Operator { epoch: EpochId(1), party: PartyId(1) };
/// When requests are made, half way through, and at their end.
pub const TIMES: [u64; 3] = [100, 130, 160];

/// The contract.
pub fn contract() -> ContractAddress {
    ContractAddress::of_bytes("wasm", [7; 32]).unwrap()
}

/// An inbox in a folder of its own.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Opens the inbox; every earlier one must be dropped.
    pub fn inbox(&self) -> Inbox {
        Inbox::open(&self.folder.path().join("inbox.redb"), "us").unwrap()
    }

    /// A store of ciphertexts.
    pub fn store(&self) -> kms_store::Store {
        let url = url::Url::from_directory_path(self.folder.path().join("store")).unwrap();
        kms_store::Store::open(&url).unwrap()
    }
}

/// An open public decryption of one ciphertext with these bytes.
pub fn request(id: u64, ciphertext: &[u8]) -> Facts {
    let [time, _, deadline] = TIMES;
    let ciphertext = Ciphertext {
        handle: Handle::new([0; 32]),
        digest: Digest::sha256(ciphertext),
        size: u64::try_from(ciphertext.len()).unwrap(),
        fhe_type: FheType::Uint8,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    };
    let operation = Operation::PublicDecrypt(PublicDecrypt {
        key_id: KeyId(1),
        ciphertexts: vec![ciphertext],
        domain: None,
        extra_data: Vec::new().into(),
    });
    let body = RequestBody {
        v: 1,
        id: RequestId(id),
        requester: "wasm1user".into(),
        operation,
        epoch: Some(US.epoch),
        price: 5u128.into(),
        deadline: Some(deadline),
        height: 9,
        time,
        callback: None,
    };
    let stored_body = serde_json::to_vec(&body).unwrap();
    Facts {
        stored_body,
        body,
        status: Status::new(State::Pending, 0, 9, time),
        responded: false,
        now: time + 5,
    }
}

pub fn answer(id: u64) -> Item {
    Item::Answer(Answer {
        request_id: RequestId(id),
        epoch: US.epoch,
        party: US.party,
        payload: vec![7; 32].into(),
        external_signature: Some(Signature::new([2; 65]).into()),
        receipt: Signature::new([1; 65]).into(),
    })
}

/// The inbox with answers to these requests, not posted yet.
pub async fn answered(inbox: &Inbox, ids: impl Iterator<Item = u64>) {
    for id in ids {
        inbox.admit(vec![RequestId(id)]).await.unwrap();
        inbox.answered(answer(id), 0).await.unwrap();
    }
}

pub fn row(inbox: &Inbox, id: u64) -> Option<Row> {
    inbox.row(RequestId(id)).unwrap()
}

pub fn count(inbox: &Inbox, stage: Stage) -> u64 {
    inbox.count(stage).unwrap()
}

/// Waits for a condition while the task runs; the task must not end.
pub async fn until<T: std::fmt::Debug>(task: impl Future<Output = T>, condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let patience = tokio::time::sleep(Duration::from_secs(600));
    tokio::select! {
        () = reached => {}
        ended = task => panic!("the task ended: {ended:?}"),
        () = patience => panic!("the condition never held"),
    }
}
