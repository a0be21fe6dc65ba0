import assert from "node:assert/strict";
import { test } from "node:test";

import { sha256 } from "@cosmjs/crypto";
import { toAscii, toBase64 } from "@cosmjs/encoding";

import { readReference } from "../src";

/** The vector of `cli/src/reference.rs`. */
const REF =
  "kms1_AAAAAAAAAAcDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMFAydwidkcC99PLmhiun5KB2BRGUMfXRP3Jt01KwbxsgapAAAAAAAIDuUFAAAAABG4-OA";

/** A REF with this provenance, and the rest as in the vector but the key. */
function reference(provenance: number[], keyId: number[] = [0, 0, 0, 0, 0, 0, 0, 7]): string {
  const handle = [...Array<number>(30).fill(3), 5, 3];
  const rest = [...sha256(toAscii("bytes")), 0, 0, 0, 0, 0, 8, 14, 229, 5, 0, 0, 0];
  const content = [...keyId, ...handle, ...rest, ...provenance];
  const check = sha256(Uint8Array.from([...toAscii("kms-ref-v1"), ...content])).slice(0, 4);
  const text = toBase64(Uint8Array.from([...content, ...check]));
  return `kms1_${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

test("a REF of the command line says what a request needs", () => {
  const handle = Uint8Array.from([...Array<number>(30).fill(3), 5, 3]);
  assert.deepEqual(readReference(REF), {
    keyId: 7,
    ciphertext: {
      handle: toBase64(handle),
      digest: toBase64(sha256(toAscii("bytes"))),
      size: 528_101,
      fhe_type: "uint64",
      format: "raw",
      index: 0,
      provenance: "unproven",
    },
  });
  assert.equal(reference([0]), REF);
});

test("every provenance is read", () => {
  const read = (bytes: number[]) => readReference(reference(bytes)).ciphertext.provenance;
  assert.deepEqual(read([1, 0, 0, 0, 0, 0, 0, 1, 2]), { verified: { request_id: 258 } });
  const [user, signature] = [Array<number>(20).fill(9), Array<number>(65).fill(8)];
  assert.deepEqual(read([2, 1, ...user, 0, 0, 0, 0, 0, 0, 0, 60, 1, ...signature]), {
    attested: {
      user: toBase64(Uint8Array.from(user)),
      contract: null,
      valid_until: 60,
      signatures: [toBase64(Uint8Array.from(signature))],
    },
  });
});

test("every wrong character and every missing part is found", () => {
  for (let at = 5; at < REF.length; at++) {
    const other = REF[at] === "A" ? "B" : "A";
    assert.throws(() => readReference(REF.slice(0, at) + other + REF.slice(at + 1)), `position ${at}`);
    assert.throws(() => readReference(REF.slice(0, at)), `first ${at}`);
  }
  assert.throws(() => readReference("wasm1abc"), /begins with kms1_/);
});

test("what no REF can say is refused, though its check sum fits", () => {
  assert.throws(() => readReference(reference([])), /bytes missing/);
  assert.throws(() => readReference(reference([0, 0])), /bytes left over/);
  assert.throws(() => readReference(reference([3])), /unknown provenance/);
  assert.throws(() => readReference(reference([2, 4])), /unknown flags/);
  assert.throws(() => readReference(reference([0], [0, 32, 0, 0, 0, 0, 0, 0])), /above 2\^53/);
});
