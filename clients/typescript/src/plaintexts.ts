import type { FheType } from "./generated/Asc.types";

const WORD = 32;

/** 32-byte words that a value takes. */
function words(type: FheType): number {
  switch (type) {
    case "uint512":
      return 2;
    case "uint1024":
      return 4;
    case "uint2048":
      return 8;
    default:
      return 1;
  }
}

/**
 * The values in the payload of a public decryption: big-endian words, in the order of the ciphertexts. A `bool` is 0n
 * or 1n, an address (`uint160`) its 160 bits.
 */
export function plaintexts(payload: Uint8Array, types: readonly FheType[]): bigint[] {
  const lengths = types.map((type) => words(type) * WORD);
  const expected = lengths.reduce((sum, length) => sum + length, 0);
  if (payload.length !== expected) {
    throw new Error(`payload: ${payload.length} bytes given, ${expected} allowed`);
  }
  let start = 0;
  return lengths.map((length) => {
    const value = payload.subarray(start, (start += length));
    return value.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  });
}
