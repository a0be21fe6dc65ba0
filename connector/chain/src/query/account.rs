//! Number and sequence of an account.

use cosmrs::proto::{
    cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
    prost::{Message, Name},
};

use crate::{Client, Error, Result, client::unreadable, wallet::address_bytes};

const PATH: &str = "/cosmos.auth.v1beta1.Query/Account";

/// What signing needs to know of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountInfo {
    /// Number of the account, fixed for good.
    pub number: u64,
    /// Sequence that its next transaction must have, as of the last committed block.
    pub sequence: u64,
}

impl Client {
    /// Number and sequence of an account; [`Error::UnknownAccount`] if nothing was ever sent to it.
    pub async fn account(&self, address: &str) -> Result<AccountInfo> {
        address_bytes(address)?;
        let query = QueryAccountRequest { address: address.to_owned() };
        let answer: QueryAccountResponse = match self.abci(PATH, &query, None).await {
            Err(Error::Query { log, .. }) if log.contains("not found") => {
                return Err(Error::UnknownAccount { address: address.to_owned() });
            }
            other => other?,
        };
        let any = answer.account.ok_or_else(|| unreadable(PATH, &"no account in it"))?;
        if any.type_url != BaseAccount::type_url() {
            return Err(unreadable(PATH, &format!("accounts of type {} cannot sign here", any.type_url)));
        }
        let account = BaseAccount::decode(any.value.as_slice()).map_err(|e| unreadable(PATH, &e))?;
        Ok(AccountInfo { number: account.account_number, sequence: account.sequence })
    }
}
