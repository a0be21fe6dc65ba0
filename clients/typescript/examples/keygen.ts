import { type AscClient, type KeyId, submit, watch } from "../src";

/** Has a key made, which is then yours: encrypt under it with `kms encrypt --key ID`. */
export async function keygen(asc: AscClient): Promise<KeyId> {
  const { requestId } = await submit(asc, { key_gen: { params: "default", source: "generate" } });
  const request = await watch(asc, requestId);
  if (request.state !== "fulfilled") {
    throw new Error(`request ${requestId} is ${request.state}: ${request.reason}`);
  }
  // A key's id is the id of the request that made it.
  return requestId;
}
