import { sha256 } from "@cosmjs/crypto";
import { fromBase64, toAscii, toBase64 } from "@cosmjs/encoding";

import type { Ciphertext, CiphertextFormat, FheType, KeyId, Provenance } from "./generated/Asc.types";

const PREFIX = "kms1_";
const CHECK_PREFIX = toAscii("kms-ref-v1");
const CHECK_BYTES = 4;

/** By their numbers. */
const TYPES: readonly FheType[] = [
  "bool",
  "uint4",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "uint128",
  "uint160",
  "uint256",
  "uint512",
  "uint1024",
  "uint2048",
];
const FORMATS: readonly CiphertextFormat[] = ["raw", "compressed", "compact"];

/** A ciphertext and the key that it is encrypted under. */
export interface Reference {
  keyId: KeyId;
  /** As `public_decrypt` takes it. */
  ciphertext: Ciphertext;
}

/** Reads a REF, as `kms encrypt` prints it. Its layout is described in `cli/src/reference.rs`. */
export function readReference(text: string): Reference {
  const digits = text.trim();
  if (!digits.startsWith(PREFIX)) {
    throw new Error(`not a REF: a REF begins with ${PREFIX}`);
  }
  const bytes = fromBase64Url(digits.slice(PREFIX.length));
  const content = bytes?.subarray(0, -CHECK_BYTES);
  if (bytes === undefined || content === undefined || !fits(content, bytes.subarray(-CHECK_BYTES))) {
    throw new Error("the REF is mistyped or cut off: its check sum does not fit");
  }
  const rest = new Reader(content);
  const keyId = rest.u64();
  const handle = rest.take(32);
  const ciphertext: Ciphertext = {
    handle: toBase64(handle),
    digest: toBase64(rest.take(32)),
    size: rest.u64(),
    fhe_type: known(TYPES[rest.u8()], "type"),
    format: known(FORMATS[rest.u8()], "format"),
    index: rest.u16(),
    provenance: readProvenance(rest),
  };
  if (TYPES[handle[30] ?? TYPES.length] !== ciphertext.fhe_type) {
    throw new Error("the REF has a handle of another type");
  }
  rest.end();
  return { keyId, ciphertext };
}

function readProvenance(rest: Reader): Provenance {
  const kind = rest.u8();
  switch (kind) {
    case 0:
      return "unproven";
    case 1:
      return { verified: { request_id: rest.u64() } };
    case 2: {
      const flags = rest.u8();
      if (flags > 3) {
        throw new Error("the REF has unknown flags");
      }
      const address = (bit: number) => ((flags & bit) === 0 ? null : toBase64(rest.take(20)));
      const [user, contract] = [address(1), address(2)];
      const validUntil = rest.u64();
      const signatures = Array.from({ length: rest.u8() }, () => toBase64(rest.take(65)));
      return { attested: { user, contract, valid_until: validUntil, signatures } };
    }
    default:
      throw new Error("the REF has an unknown provenance");
  }
}

function fits(content: Uint8Array, check: Uint8Array): boolean {
  const sum = sha256(Uint8Array.from([...CHECK_PREFIX, ...content]));
  return check.length === CHECK_BYTES && check.every((byte, position) => byte === sum[position]);
}

function fromBase64Url(digits: string): Uint8Array | undefined {
  const base64 = digits.replaceAll("-", "+").replaceAll("_", "/");
  const padded = base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
  try {
    const bytes = fromBase64(padded);
    // The last digit has bits to spare, which must be zero.
    return toBase64(bytes) === padded ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new Error(`the REF has an unknown ${what}`);
  }
  return value;
}

/** Bytes not read yet; numbers are big-endian. */
class Reader {
  constructor(private rest: Uint8Array) {}

  take(length: number): Uint8Array {
    if (this.rest.length < length) {
      throw new Error("the REF has bytes missing");
    }
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }

  u8(): number {
    return this.number(1);
  }

  u16(): number {
    return this.number(2);
  }

  u64(): number {
    return this.number(8);
  }

  end(): void {
    if (this.rest.length > 0) {
      throw new Error("the REF has bytes left over");
    }
  }

  /** The contract's JSON has plain numbers, and so has this client: exact up to 2^53 - 1. */
  private number(length: number): number {
    const value = this.take(length).reduce((number, byte) => number * 256 + byte, 0);
    if (!Number.isSafeInteger(value)) {
      throw new Error("the REF has a number above 2^53 - 1");
    }
    return value;
  }
}
