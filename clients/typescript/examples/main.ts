/**
 * Runs the examples: `node dist/examples/main.js keygen`, `... decrypt REF...`, `... withdraw`. Prints JSON.
 *
 * Environment: `KMS_RPC_URL`, `KMS_CONTRACT`, `KMS_GAS_PRICE` (`0.025ukms`), `KMS_WALLET` (a file with the 64
 * hexadecimal digits of a secret key, as `kms wallet new` makes it); optional: `KMS_AT_MOST`, the most that a
 * decryption may cost, in the smallest coin.
 */
import { readFile } from "node:fs/promises";

import { fromHex } from "@cosmjs/encoding";
import { DirectSecp256k1Wallet } from "@cosmjs/proto-signing";

import { type AscClient, connect } from "../src";
import { decrypt } from "./decrypt";
import { keygen } from "./keygen";
import { withdraw } from "./withdraw";

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set`);
  }
  return value;
}

async function signer(): Promise<DirectSecp256k1Wallet> {
  const digits = (await readFile(setting("KMS_WALLET"), "utf8")).trim();
  return DirectSecp256k1Wallet.fromKey(fromHex(digits), "wasm");
}

async function run(asc: AscClient, [command, ...rest]: string[]): Promise<unknown> {
  switch (command) {
    case "keygen":
      return { key: await keygen(asc) };
    case "decrypt": {
      const atMost = process.env.KMS_AT_MOST;
      const values = await decrypt(asc, rest, atMost ? BigInt(atMost) : undefined);
      return { values: values.map(String) };
    }
    case "withdraw":
      return { withdrawn: await withdraw(asc) };
    default:
      throw new Error(`unknown command ${command}: keygen, decrypt and withdraw are known`);
  }
}

async function main(): Promise<void> {
  const network = {
    rpcUrl: setting("KMS_RPC_URL"),
    contract: setting("KMS_CONTRACT"),
    gasPrice: setting("KMS_GAS_PRICE"),
  };
  const asc = await connect(network, await signer());
  console.log(JSON.stringify(await run(asc, process.argv.slice(2))));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
