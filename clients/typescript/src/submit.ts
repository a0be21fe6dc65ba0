import type { ExecuteResult } from "@cosmjs/cosmwasm-stargate";

import type { AscClient, AscQueryClient } from "./generated/Asc.client";
import type { Operation, Quote, RequestId, State } from "./generated/Asc.types";

/** How to ask. */
export interface SubmitOptions {
  /** Seconds until an answer no longer counts and the price can be had back; the contract's default if absent. */
  ttl?: number;
  /**
   * Most that you will pay, in the smallest unit; the quoted price if absent. All of it travels with the request, and
   * what the price leaves comes back in the same transaction. Prices may change between quote and request: with more
   * than the quote the request is still accepted.
   */
  atMost?: bigint;
}

/** A request on record. */
export interface Submitted {
  /** Its id, by which everything else finds it. */
  requestId: RequestId;
  /** `pending`; or `denied`, for a reason that `watch` tells. */
  state: State;
  /** The transaction, with its hash, height and events. */
  transaction: ExecuteResult;
}

/** What an operation costs now. */
export function quote(asc: AscQueryClient, operation: Operation): Promise<Quote> {
  return asc.quote({ operation });
}

/**
 * Submits a request and pays for it. Whatever the contract refuses without a record is thrown, with a text that begins
 * with a stable code in brackets, such as `[insufficient_fee]`.
 */
export async function submit(
  asc: AscClient,
  operation: Operation,
  options: SubmitOptions = {},
): Promise<Submitted> {
  const { price, denom } = await quote(asc, operation);
  const funds = options.atMost ?? BigInt(price);
  if (BigInt(price) > funds) {
    throw new Error(`the price is ${price}${denom}, at most ${funds}${denom} are allowed`);
  }
  const transaction = await asc.submitRequest({ operation, ttl: options.ttl }, "auto", undefined, [
    { denom, amount: funds.toString() },
  ]);
  return { ...recorded(transaction, asc.contractAddress), transaction };
}

/** Reads the contract's event. Any contract can write an event of this name: the address tells whose it is. */
function recorded(transaction: ExecuteResult, contract: string): Pick<Submitted, "requestId" | "state"> {
  for (const event of transaction.events) {
    const attributes = new Map(event.attributes.map(({ key, value }) => [key, value]));
    if (event.type === "wasm-kms_request" && attributes.get("_contract_address") === contract) {
      return { requestId: Number(attributes.get("request_id")), state: attributes.get("state") as State };
    }
  }
  throw new Error(`transaction ${transaction.transactionHash} made no request`);
}
