//! State with its proof.

use tendermint::merkle::proof::ProofOp;

use super::{block::same_height, contract::STORE};
use crate::{
    Client, Result,
    client::{AbciAnswer, unreadable},
};

/// Type of the step from a key to the root of its store.
const TREE: &str = "ics23:iavl";
/// Type of the step from the root of a store to the header's app hash.
const STORES: &str = "ics23:simple";

/// What the wasm module's store says of one key, with both steps of the proof as `ics23.CommitmentProof`. The header
/// of height + 1 has the app hash that it leads to. Nothing of it is verified here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenValue {
    /// Height of the state.
    pub height: u64,
    /// The stored bytes; `None` if the key is absent.
    pub value: Option<Vec<u8>>,
    /// From the key to the store's root: that key and value are there, or that the key is not.
    pub proof: Vec<u8>,
    /// From the store's root to the app hash. The same for every key of one height.
    pub store_proof: Vec<u8>,
}

impl Client {
    /// Reads a key of the wasm module's store with its proof: `0x03 || address || key` for a contract's own state.
    /// [`Error::HeightUnavailable`](crate::Error::HeightUnavailable) if the node has no state of that height: it does
    /// not say whether too old, or not there yet.
    pub async fn proven_value(&self, key: Vec<u8>, height: u64) -> Result<ProvenValue> {
        let answer = self.abci_raw(STORE, key, Some(height)).await?;
        same_height("abci_query", height, answer.height)?;
        let AbciAnswer { value, proof, .. } = answer;
        let [tree, stores] = <[ProofOp; 2]>::try_from(proof)
            .map_err(|steps| unreadable("abci_query", &format!("a proof of {} steps, not 2", steps.len())))?;
        if (tree.field_type.as_str(), stores.field_type.as_str()) != (TREE, STORES) {
            let reason = format!("a proof of {} and {}", tree.field_type, stores.field_type);
            return Err(unreadable("abci_query", &reason));
        }
        let value = (!value.is_empty()).then_some(value);
        Ok(ProvenValue { height, value, proof: tree.data, store_proof: stores.data })
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Error,
        fake_node::{FakeNode, Reply, refused},
    };

    fn answer(height: u64, value: Option<&[u8]>, steps: &[(&str, &[u8])]) -> Reply {
        let encoded = |bytes: &[u8]| STANDARD.encode(bytes);
        let ops: Vec<_> = steps
            .iter()
            .map(|(kind, data)| json!({"type": kind, "key": encoded(b"k"), "data": encoded(data)}))
            .collect();
        Reply::Result(
            json!({"response": {"code": 0, "log": "", "info": "", "index": "0", "key": encoded(b"k"),
            "value": value.map(encoded), "proofOps": {"ops": ops}, "height": height.to_string(), "codespace": ""}}),
        )
    }

    const STEPS: [(&str, &[u8]); 2] = [(TREE, b"tree"), (STORES, b"stores")];

    async fn proven(reply: impl Fn() -> Reply + Send + 'static) -> Result<ProvenValue> {
        let node = FakeNode::start(move |_: &str, params: &Value| {
            assert_eq!((&params["height"], &params["prove"]), (&json!("9"), &json!(true)));
            assert_eq!((&params["path"], &params["data"]), (&json!("/store/wasm/key"), &json!("0207")));
            reply()
        })
        .await;
        node.client().proven_value(vec![2, 7], 9).await
    }

    #[tokio::test]
    async fn a_value_comes_with_both_steps_of_its_proof() {
        let found = proven(|| answer(9, Some(b"value"), &STEPS)).await.unwrap();
        let (proof, store_proof) = (b"tree".to_vec(), b"stores".to_vec());
        assert_eq!(found, ProvenValue { height: 9, value: Some(b"value".to_vec()), proof, store_proof });
    }

    #[tokio::test]
    async fn an_absent_key_is_proven_absent() {
        let absent = proven(|| answer(9, None, &STEPS)).await.unwrap();
        assert_eq!((absent.value, absent.proof), (None, b"tree".to_vec()));
    }

    #[tokio::test]
    async fn a_height_without_state_is_typed_whether_past_or_to_come() {
        let none = || match refused(7, "proof is unexpectedly empty; ensure height has not been pruned") {
            Reply::Result(mut answer) => {
                answer["response"]["codespace"] = "store".into();
                Reply::Result(answer)
            }
            other => other,
        };
        let error = proven(none).await.unwrap_err();
        assert!(matches!(error, Error::HeightUnavailable { height: 9, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_proof_of_other_steps_or_another_height_is_refused() {
        const SWAPPED: [(&str, &[u8]); 2] = [(STORES, b"stores"), (TREE, b"tree")];
        for (height, steps) in [(9, &[][..]), (9, &STEPS[..1]), (9, &SWAPPED[..]), (8, &STEPS[..])] {
            let error = proven(move || answer(height, Some(b"v"), steps)).await.unwrap_err();
            assert_eq!(error.code(), "bad_response", "{height} {steps:?}");
        }
    }
}
