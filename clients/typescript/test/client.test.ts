import assert from "node:assert/strict";
import { test } from "node:test";

import { type AscClient, type AscQueryClient, type RequestView, plaintexts, submit, watch } from "../src";

const KEY_GEN = { key_gen: { params: "default", source: "generate" } } as const;

test("a payload is read word by word, wide types with as many as they need", () => {
  const payload = new Uint8Array(32 * 4);
  payload[31] = 1;
  payload[32] = 0x80;
  payload[95] = 2;
  payload[127] = 7;
  assert.deepEqual(plaintexts(payload, ["bool", "uint512", "uint8"]), [1n, (1n << 511n) + 2n, 7n]);
  assert.deepEqual(plaintexts(new Uint8Array(0), []), []);
  assert.throws(() => plaintexts(payload, ["bool", "uint8"]), /128 bytes given, 64 allowed/);
});

/** A contract that asks 100 and says what was sent to it. */
function contract(events: { type: string; attributes: { key: string; value: string }[] }[]) {
  const sent: unknown[] = [];
  const asc = {
    contractAddress: "asc",
    quote: async () => ({ price: "100", denom: "ukms", denial_fee: "1" }),
    submitRequest: async (...message: unknown[]) => {
      sent.push(message);
      return { events, transactionHash: "AB" };
    },
  } as unknown as AscClient;
  return { asc, sent };
}

function event(type: string, contract: string, id: string) {
  const attributes = [
    { key: "_contract_address", value: contract },
    { key: "request_id", value: id },
    { key: "state", value: "pending" },
  ];
  return { type, attributes };
}

test("the quoted price is paid, or what the caller allows", async () => {
  const { asc, sent } = contract([event("wasm-kms_request", "asc", "7")]);
  await submit(asc, KEY_GEN);
  await submit(asc, KEY_GEN, { atMost: 250n, ttl: 9 });
  const coins = (amount: string) => [{ denom: "ukms", amount }];
  assert.deepEqual(sent, [
    [{ operation: KEY_GEN, ttl: undefined }, "auto", undefined, coins("100")],
    [{ operation: KEY_GEN, ttl: 9 }, "auto", undefined, coins("250")],
  ]);
});

test("nothing is sent when the price is above what the caller allows", async () => {
  const { asc, sent } = contract([]);
  await assert.rejects(submit(asc, KEY_GEN, { atMost: 99n }), /the price is 100ukms, at most 99ukms/);
  assert.deepEqual(sent, []);
});

test("a request's id comes from the contract's event, never from another's", async () => {
  const forged = event("wasm-kms_request", "forger", "1");
  const other = event("wasm-kms_money", "asc", "2");
  const { asc } = contract([forged, other, event("wasm-kms_request", "asc", "7")]);
  assert.deepEqual((await submit(asc, KEY_GEN)).requestId, 7);
  await assert.rejects(submit(contract([forged, other]).asc, KEY_GEN), /made no request/);
});

/** A contract whose request goes through these states. */
function states(...states: RequestView["state"][]): AscQueryClient {
  return { request: async () => ({ state: states.shift() }) } as unknown as AscQueryClient;
}

test("a request is watched until it has ended", async () => {
  const seen: string[] = [];
  const onView = (view: RequestView) => void seen.push(view.state);
  const view = await watch(states("pending", "pending", "failed"), 7, { intervalMs: 1, onView });
  assert.equal(view.state, "failed");
  assert.deepEqual(seen, ["pending", "pending", "failed"]);
});

test("watching ends at once when the caller says so", { timeout: 5_000 }, async () => {
  const abort = new AbortController();
  const onView = () => setImmediate(() => abort.abort(new Error("enough")));
  const watching = watch(states("pending", "pending"), 7, { intervalMs: 60_000, signal: abort.signal, onView });
  await assert.rejects(watching, /enough/);
});
