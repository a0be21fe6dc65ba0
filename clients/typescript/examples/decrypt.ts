import { type AscClient, readReference, submit, values, watch } from "../src";

/** Has ciphertexts of one key decrypted, for at most so many of the smallest coin; gives their values. */
export async function decrypt(asc: AscClient, references: string[], atMost?: bigint): Promise<bigint[]> {
  const parts = references.map(readReference);
  const [first] = parts;
  if (first === undefined || parts.some((part) => part.keyId !== first.keyId)) {
    throw new Error("REFs of one key are needed");
  }
  const ciphertexts = parts.map((part) => part.ciphertext);
  const operation = { public_decrypt: { key_id: first.keyId, ciphertexts, extra_data: "" } };

  const { requestId } = await submit(asc, operation, { atMost });
  const request = await watch(asc, requestId);
  return values(asc, request);
}
