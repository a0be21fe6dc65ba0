//! Making and signing transactions (`SIGN_MODE_DIRECT`).

use base64::{Engine, engine::general_purpose::STANDARD};
use cosmrs::{
    Any,
    proto::{
        cosmos::{
            crypto::secp256k1::PubKey,
            tx::{
                signing::v1beta1::SignMode,
                v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info},
            },
        },
        prost::{Message as _, Name},
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Coin, Message, TxHash, Wallet};

/// A signed transaction. It can be stored, and sent any number of times: the chain includes it at
/// most once, and never after its timeout height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedTx {
    /// What is sent.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: TxHash,
    /// The account's sequence that it uses.
    pub sequence: u64,
    /// Latest height of the chain when it was made: it cannot be in a block up to this one.
    pub prepared_at: u64,
    /// Last height that may include it.
    pub timeout_height: u64,
    /// Gas that it may use.
    pub gas_limit: u64,
    /// Fee that it pays, if it is included.
    pub fee: Coin,
}

/// A transaction but for its gas, fee and signature.
pub(crate) struct Draft<'a> {
    pub messages: &'a [Message],
    pub memo: &'a str,
    pub prepared_at: u64,
    pub timeout_height: u64,
}

/// What a signature binds besides the content.
pub(crate) struct Signing<'a> {
    pub wallet: &'a Wallet,
    pub chain_id: &'a str,
    pub account_number: u64,
    pub sequence: u64,
}

impl Draft<'_> {
    /// The transaction as simulation wants it: with one signature of 64 zero bytes, and a fee that
    /// is not zero, so that paying it is simulated too.
    pub fn unsigned(&self, signing: &Signing<'_>, fee: &Coin) -> Vec<u8> {
        let raw = TxRaw {
            body_bytes: self.body(),
            auth_info_bytes: auth_info(signing, fee, 0),
            signatures: vec![vec![0; 64]],
        };
        raw.encode_to_vec()
    }

    /// The signed transaction.
    pub fn sign(&self, signing: &Signing<'_>, gas_limit: u64, fee: Coin) -> SignedTx {
        let mut doc = SignDoc {
            body_bytes: self.body(),
            auth_info_bytes: auth_info(signing, &fee, gas_limit),
            chain_id: signing.chain_id.to_owned(),
            account_number: signing.account_number,
        };
        let signature = signing.wallet.sign(&doc.encode_to_vec());
        let raw = TxRaw {
            body_bytes: std::mem::take(&mut doc.body_bytes),
            auth_info_bytes: std::mem::take(&mut doc.auth_info_bytes),
            signatures: vec![signature.to_vec()],
        };
        let bytes = raw.encode_to_vec();
        SignedTx {
            hash: TxHash::of(&bytes),
            bytes,
            sequence: signing.sequence,
            prepared_at: self.prepared_at,
            timeout_height: self.timeout_height,
            gas_limit,
            fee,
        }
    }

    fn body(&self) -> Vec<u8> {
        let body = TxBody {
            messages: self.messages.iter().map(|message| message.0.clone()).collect(),
            memo: self.memo.to_owned(),
            timeout_height: self.timeout_height,
            extension_options: Vec::new(),
            non_critical_extension_options: Vec::new(),
        };
        body.encode_to_vec()
    }
}

fn auth_info(signing: &Signing<'_>, fee: &Coin, gas_limit: u64) -> Vec<u8> {
    let public_key = PubKey { key: signing.wallet.public_key().to_vec() };
    let mode = mode_info::Single { mode: SignMode::Direct.into() };
    let signer = SignerInfo {
        public_key: Some(Any { type_url: PubKey::type_url(), value: public_key.encode_to_vec() }),
        mode_info: Some(ModeInfo { sum: Some(mode_info::Sum::Single(mode)) }),
        sequence: signing.sequence,
    };
    let amount = if fee.amount == 0 { Vec::new() } else { vec![fee.to_proto()] };
    let fee = Fee { amount, gas_limit, payer: String::new(), granter: String::new() };
    AuthInfo { signer_infos: vec![signer], fee: Some(fee), ..Default::default() }.encode_to_vec()
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};

    use super::*;

    fn signed(wallet: &Wallet) -> SignedTx {
        let message =
            Message::bank_send(wallet.address(), wallet.address(), &[Coin::new(1, "ucosm")]).unwrap();
        let draft = Draft { messages: &[message], memo: "", prepared_at: 7, timeout_height: 57 };
        let signing = Signing { wallet, chain_id: "test-1", account_number: 3, sequence: 9 };
        draft.sign(&signing, 100_000, Coin::new(2_500, "ucosm"))
    }

    #[test]
    fn the_signature_covers_content_chain_account_and_sequence() {
        let wallet = Wallet::generate("wasm").unwrap();
        let tx = signed(&wallet);
        let raw = TxRaw::decode(tx.bytes.as_slice()).unwrap();
        let auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
        assert_eq!(auth.signer_infos[0].sequence, 9);
        assert_eq!(TxBody::decode(raw.body_bytes.as_slice()).unwrap().timeout_height, 57);
        let doc = SignDoc {
            body_bytes: raw.body_bytes,
            auth_info_bytes: raw.auth_info_bytes,
            chain_id: "test-1".into(),
            account_number: 3,
        };
        let key = VerifyingKey::from_sec1_bytes(&wallet.public_key()).unwrap();
        let signature = Signature::from_slice(&raw.signatures[0]).unwrap();
        key.verify(&doc.encode_to_vec(), &signature).unwrap();
    }

    #[test]
    fn signing_again_gives_the_same_bytes_and_storing_keeps_them() {
        let wallet = Wallet::generate("wasm").unwrap();
        let tx = signed(&wallet);
        assert_eq!(signed(&wallet), tx);
        let json = serde_json::to_string(&tx).unwrap();
        assert_eq!(serde_json::from_str::<SignedTx>(&json).unwrap(), tx);
    }
}
