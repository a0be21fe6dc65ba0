import { fromBase64 } from "@cosmjs/encoding";

import type { AscQueryClient } from "./generated/Asc.client";
import type { RequestView } from "./generated/Asc.types";
import { plaintexts } from "./plaintexts";

/**
 * The values that a fulfilled public decryption gave, in the order of its ciphertexts. They are the payload that
 * decided: as many operators signed it as the request's epoch asks for, and the contract has checked their signatures.
 */
export async function values(asc: AscQueryClient, view: RequestView): Promise<bigint[]> {
  const { id, operation } = view.body;
  if (!("public_decrypt" in operation)) {
    throw new Error(`request ${id} is no public decryption`);
  }
  if (view.state !== "fulfilled" || view.winner == null) {
    throw new Error(`request ${id} is ${view.state}${view.reason == null ? "" : `: ${view.reason}`}`);
  }
  const { payload } = await asc.response({ requestId: id, party: view.winner });
  if (payload == null) {
    throw new Error(`request ${id}: the deciding answer has no payload`);
  }
  const types = operation.public_decrypt.ciphertexts.map((ciphertext) => ciphertext.fhe_type);
  return plaintexts(fromBase64(payload), types);
}
