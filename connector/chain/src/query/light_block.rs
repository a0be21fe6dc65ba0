//! Headers with what it takes to verify them.

use prost::Message;
use tendermint::validator::Info;
use tendermint_proto::{
    Protobuf,
    v0_38::types::{SignedHeader, ValidatorSet},
};
use tendermint_rpc::{Client as _, Paging};

use super::{
    block::{not_yet, same_height},
    status::block_time,
};
use crate::{
    BlockTime, Client, Error, Result,
    client::{block_height, unreadable},
};

/// A header, the signatures under it, and the validators of its height and the next, in CometBFT's own protobuf
/// encodings. Nothing of it is verified here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightBlock {
    /// Height of the header.
    pub height: u64,
    /// Time of the header.
    pub time: BlockTime,
    /// Hash of the header, as those name it who signed it.
    pub hash: [u8; 32],
    /// `tendermint.types.SignedHeader`. Of the newest block the signatures are those that the node has seen, which may
    /// be others than the next block will name; they are as good.
    pub signed_header: Vec<u8>,
    /// `tendermint.types.ValidatorSet` of the header's height.
    pub validators: Vec<u8>,
    /// `tendermint.types.ValidatorSet` of the next height.
    pub next_validators: Vec<u8>,
}

impl Client {
    /// The light block of a height; `None` if the chain is not there yet, [`Error::Pruned`] if the node no longer has
    /// it.
    pub async fn light_block(&self, height: u64) -> Result<Option<LightBlock>> {
        let call = self.http().commit(block_height(height)?);
        let Some(answer) = not_yet(height, self.call("commit", call).await)? else { return Ok(None) };
        let signed = answer.signed_header;
        same_height("commit", height, signed.header.height.value())?;
        let Some(validators) = self.validators(height).await? else { return Ok(None) };
        let Some(next_validators) = self.validators(height.saturating_add(1)).await? else { return Ok(None) };
        let hash = signed.commit.block_id.hash.as_bytes().try_into();
        Ok(Some(LightBlock {
            height,
            hash: hash.map_err(|_| unreadable("commit", &"the hash is not of 32 bytes"))?,
            time: block_time(signed.header.time)?,
            signed_header: Protobuf::<SignedHeader>::encode_vec(signed),
            validators,
            next_validators,
        }))
    }

    /// The validators of a height, all pages of them; known one height ahead of the newest block, a moment after it.
    async fn validators(&self, height: u64) -> Result<Option<Vec<u8>>> {
        let call = self.http().validators(block_height(height)?, Paging::All);
        let answer = match self.call("validators", call).await {
            Err(Error::Rpc { message, .. })
                if message.contains("could not find validator set for height") =>
            {
                return Ok(None);
            }
            answer => not_yet(height, answer)?,
        };
        let Some(answer) = answer else { return Ok(None) };
        same_height("validators", height, answer.block_height.value())?;
        Ok(Some(encode(answer.validators)))
    }
}

/// The set as the chain orders it; who verifies it adds the powers up.
fn encode(validators: Vec<Info>) -> Vec<u8> {
    let validators = validators.into_iter().map(Into::into).collect();
    ValidatorSet { validators, proposer: None, total_voting_power: 0 }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tendermint::{block::signed_header, validator::Set};

    use super::*;
    use crate::fake_node::{FakeNode, Reply, future, header, height_of};

    const KEYS: [&str; 2] =
        ["gd3cHNz3GNZU/H7vI9y+1x8rnKmxjKhBNTgWWzblWEk=", "RblzMO4is5L1hZz6wo4kPbptzOyue6LTk4+lPhD1FRk="];

    /// A chain of two validators at height `latest`, which gives one validator a page.
    fn chain(latest: u64) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
        move |method, params| {
            let height = height_of(params);
            let ahead = u64::from(method == "validators");
            if height > latest + ahead {
                return future(height, latest);
            }
            match method {
                "commit" => Reply::Result(
                    json!({"signed_header": {"header": header(height), "commit": commit(height)},
                    "canonical": height < latest}),
                ),
                "validators" => Reply::Result(page(height, params)),
                other => Reply::Error(format!("no {other} here")),
            }
        }
    }

    fn commit(height: u64) -> Value {
        let hash = "92C8A261601D113AAF53BD3092BC470669F844290B7081F33138171407766422";
        json!({"height": height.to_string(), "round": 0,
            "block_id": {"hash": hash, "parts": {"total": 1, "hash": hash}}, "signatures": [{
            "block_id_flag": 2, "validator_address": "04CF4B78739AA0A25B755F7F5425C1AA8F9C9970",
            "timestamp": "2026-01-02T03:04:05.006Z",
            "signature": "XB9/NgKYqAWeangnk10WtOnt2dvtTawYqLL4Yki4cT9xDoXY/BmDKHCtXj2CHByXT1eNb+zSnuTMxD0HGmR+CQ=="}]})
    }

    fn page(height: u64, params: &Value) -> Value {
        let number: usize = params["page"].as_str().unwrap().parse().unwrap();
        let key = KEYS[number - 1];
        let public = tendermint::PublicKey::from_raw_ed25519(
            &base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key).unwrap(),
        )
        .unwrap();
        let address = tendermint::account::Id::from(public).to_string();
        let validator = json!({"address": address, "voting_power": "10", "proposer_priority": "0",
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": key}});
        json!({"block_height": height.to_string(), "validators": [validator], "count": "1", "total": "2"})
    }

    async fn light_block(latest: u64, height: u64) -> Result<Option<LightBlock>> {
        FakeNode::start(chain(latest)).await.client().light_block(height).await
    }

    #[tokio::test]
    async fn the_newest_light_block_has_the_header_and_every_validator_of_both_heights() {
        let block = light_block(7, 7).await.unwrap().unwrap();
        let signed =
            <signed_header::SignedHeader as Protobuf<SignedHeader>>::decode_vec(&block.signed_header)
                .unwrap();
        assert_eq!((signed.header.height.value(), signed.commit.signatures.len()), (7, 1));
        assert_eq!((block.height, block.time.seconds, block.hash[0]), (7, 1_767_323_045, 0x92));
        for encoded in [&block.validators, &block.next_validators] {
            let set = <Set as Protobuf<ValidatorSet>>::decode_vec(encoded).unwrap();
            assert_eq!((set.validators().len(), set.total_voting_power().value()), (2, 20));
        }
    }

    #[tokio::test]
    async fn a_height_to_come_is_not_there_yet() {
        assert_eq!(light_block(7, 8).await.unwrap(), None);
    }

    #[tokio::test]
    async fn validators_that_are_not_stored_yet_are_not_there_yet() {
        let mut answer = chain(7);
        let node = FakeNode::start(move |method: &str, params: &Value| match method {
            "validators" if height_of(params) == 8 => {
                Reply::Error("could not find validator set for height #8".into())
            }
            _ => answer(method, params),
        })
        .await;
        assert_eq!(node.client().light_block(7).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_pruned_height_is_told_with_the_lowest_left() {
        let node = FakeNode::start(|_: &str, _: &Value| {
            Reply::Error("height 7 is not available, lowest height is 100".into())
        })
        .await;
        let error = node.client().light_block(7).await.unwrap_err();
        assert_eq!(error, Error::Pruned { height: 7, lowest: 100 });
    }

    #[tokio::test]
    async fn a_header_of_another_height_is_refused() {
        let mut answer = chain(9);
        let node = FakeNode::start(move |method: &str, _: &Value| {
            answer(method, &json!({"height": "8", "page": "1"}))
        });
        let error = node.await.client().light_block(7).await.unwrap_err();
        assert_eq!(error.code(), "bad_response");
    }
}
