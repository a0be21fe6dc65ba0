//! Pages. Each is bounded by its items and by what it looks at, so it fits one query's gas however much is
//! stored.

use cosmwasm_std::{Binary, Deps, Env, Order, Storage};
use cw_storage_plus::Bound;
use kms_asc_api::{
    Epoch, EpochId, GrantView, KeyId, KeyRecord, LogPage, Page, RequestId, RequestView, State, state_key,
};

use super::request;
use crate::session::load_log_head;
use crate::{ContractError, validate};

/// Items on a page if the caller names no limit.
const DEFAULT_LIMIT: u32 = 20;
/// Most requests looked at for one page.
const MAX_SCAN: u64 = 120;
/// Most bytes of bodies read for one page, the last body aside: together they stay within a query's gas.
const MAX_SCAN_BYTES: usize = 48 << 10;
/// Most bytes of records on one page, the last one aside: they are parsed and written again.
const MAX_PAGE_BYTES: usize = 64 << 10;

fn limit(storage: &dyn Storage, given: Option<u32>) -> Result<usize, ContractError> {
    let most = state_key::CONFIG.load(storage)?.limits.page;
    let limit = given.unwrap_or(DEFAULT_LIMIT).clamp(1, most.max(1));
    usize::try_from(limit).map_err(|_| ContractError::Overflow)
}

/// Requests by id, filtered. Ids are dense, so the scan needs no iterator.
pub fn requests(
    storage: &dyn Storage,
    env: &Env,
    state: Option<State>,
    requester: Option<&str>,
    start_after: Option<RequestId>,
    given: Option<u32>,
) -> Result<Page<RequestView, RequestId>, ContractError> {
    let limit = limit(storage, given)?;
    let newest = state_key::NEXT_ID.load(storage)?.saturating_sub(1);
    let first = start_after.map_or(1, |id| id.get().saturating_add(1));
    let last = newest.min(first.saturating_add(MAX_SCAN).saturating_sub(1));
    let (mut items, mut read) = (Vec::new(), 0usize);
    for id in first..=last {
        let (view, size) = request::view_and_size(storage, env, RequestId(id))?;
        read = read.saturating_add(size);
        let wanted = state.is_none_or(|state| view.state == state)
            && requester.is_none_or(|requester| view.body.requester == requester);
        if wanted {
            items.push(view);
        }
        if items.len() == limit || read >= MAX_SCAN_BYTES {
            return Ok(Page { items, next: (id < newest).then_some(RequestId(id)) });
        }
    }
    Ok(Page { items, next: (last < newest).then_some(RequestId(last)) })
}

/// Ids of pending requests.
pub fn open(
    storage: &dyn Storage,
    start_after: Option<RequestId>,
    given: Option<u32>,
) -> Result<Page<RequestId, RequestId>, ContractError> {
    let limit = limit(storage, given)?;
    let start = start_after.map(|id| Bound::exclusive(id.get()));
    let mut ids = state_key::OPEN.keys().keys(storage, start, None, Order::Ascending);
    let items =
        ids.by_ref().take(limit).map(|id| Ok(RequestId(id?))).collect::<Result<Vec<_>, ContractError>>()?;
    let next = ids.next().and(items.last().copied());
    Ok(Page { items, next })
}

/// Keys by id.
pub fn keys(
    storage: &dyn Storage,
    start_after: Option<KeyId>,
    given: Option<u32>,
) -> Result<Page<KeyRecord, KeyId>, ContractError> {
    let limit = limit(storage, given)?;
    let start = start_after.map(|id| Bound::exclusive(id.get()));
    let keys = state_key::KEY.range(storage, start, None, Order::Ascending);
    let size = |key: &KeyRecord| 1_000usize.saturating_add(key.attesters.len().saturating_mul(50));
    page(keys.map(|item| Ok(item?.1)), limit, size, |key| key.id)
}

/// Sets of operators by id.
pub fn epochs(
    storage: &dyn Storage,
    start_after: Option<EpochId>,
    given: Option<u32>,
) -> Result<Page<Epoch, EpochId>, ContractError> {
    let limit = limit(storage, given)?;
    let start = start_after.map(|id| Bound::exclusive(id.get()));
    let epochs = state_key::EPOCH.range(storage, start, None, Order::Ascending);
    let size = |epoch: &Epoch| epoch.parties.len().saturating_mul(250);
    page(epochs.map(|item| Ok(item?.1)), limit, size, |epoch| epoch.id)
}

/// Grants of a key by address, void ones included.
pub fn grants(
    deps: Deps,
    env: &Env,
    key_id: KeyId,
    start_after: Option<String>,
    given: Option<u32>,
) -> Result<Page<GrantView, String>, ContractError> {
    let storage = deps.storage;
    let limit = limit(storage, given)?;
    let key = state_key::KEY.may_load(storage, key_id.get())?.ok_or(ContractError::UnknownKey(key_id))?;
    let after = start_after.map(|address| validate::address(deps.api, &address)).transpose()?;
    let start = after.as_ref().map(Bound::exclusive);
    let grants = state_key::GRANT.prefix(key_id.get()).range(storage, start, None, Order::Ascending);
    let views = grants.map(|item| {
        let grant = item?.1;
        let holds = grant.holds(key.generation, env.block.time.seconds());
        Ok(GrantView { grant, holds })
    });
    page(views, limit, |_| 300, |view| view.grant.grantee.clone())
}

/// As many items as are allowed and, by their size, fit; `size` may be generous.
fn page<T, C>(
    mut items: impl Iterator<Item = Result<T, ContractError>>,
    limit: usize,
    size: impl Fn(&T) -> usize,
    cursor: impl Fn(&T) -> C,
) -> Result<Page<T, C>, ContractError> {
    let (mut taken, mut bytes) = (Vec::new(), 0usize);
    while taken.len() < limit && bytes < MAX_PAGE_BYTES {
        let Some(item) = items.next().transpose()? else {
            return Ok(Page { items: taken, next: None });
        };
        bytes = bytes.saturating_add(size(&item));
        taken.push(item);
    }
    let next = items.next().and(taken.last().map(cursor));
    Ok(Page { items: taken, next })
}

/// Entries of the log, as they are hashed.
pub fn log(storage: &dyn Storage, from: u64, given: Option<u32>) -> Result<LogPage, ContractError> {
    let limit = u64::try_from(limit(storage, given)?).map_err(|_| ContractError::Overflow)?;
    let count = load_log_head(storage)?.count;
    let first = from.max(1);
    let last = count.min(first.saturating_add(limit).saturating_sub(1));
    let mut entries = Vec::new();
    for seq in first..=last {
        let bytes = state_key::LOG.may_load(storage, seq);
        let bytes = bytes.ok_or_else(|| ContractError::NotFound(format!("log entry {seq}")))?;
        entries.push(Binary::new(bytes));
    }
    Ok(LogPage { entries, next: (last < count).then(|| last.saturating_add(1)) })
}
