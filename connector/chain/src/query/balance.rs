//! What an address holds.

use cosmrs::proto::cosmos::{
    bank::v1beta1::{
        QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest, QueryBalanceResponse,
    },
    base::query::v1beta1::PageRequest,
};

use crate::{Client, Coin, Result, wallet::address_bytes};

const PAGE: u64 = 200;

impl Client {
    /// Balance of one denomination; 0 for an address that holds none or does not exist.
    pub async fn balance(&self, address: &str, denom: &str) -> Result<u128> {
        address_bytes(address)?;
        let query = QueryBalanceRequest { address: address.to_owned(), denom: denom.to_owned() };
        let answer: QueryBalanceResponse =
            self.abci("/cosmos.bank.v1beta1.Query/Balance", &query, None).await?;
        let coin = answer.balance.as_ref().map(Coin::from_proto).transpose()?;
        Ok(coin.map_or(0, |coin| coin.amount))
    }

    /// Every balance of an address, ascending by denomination.
    pub async fn balances(&self, address: &str) -> Result<Vec<Coin>> {
        address_bytes(address)?;
        let mut coins = Vec::new();
        let mut key = Vec::new();
        loop {
            let query = QueryAllBalancesRequest {
                address: address.to_owned(),
                pagination: Some(PageRequest { key, limit: PAGE, ..Default::default() }),
                resolve_denom: false,
            };
            let answer: QueryAllBalancesResponse =
                self.abci("/cosmos.bank.v1beta1.Query/AllBalances", &query, None).await?;
            for coin in &answer.balances {
                coins.push(Coin::from_proto(coin)?);
            }
            key = answer.pagination.map(|page| page.next_key).unwrap_or_default();
            if key.is_empty() {
                return Ok(coins);
            }
        }
    }
}
