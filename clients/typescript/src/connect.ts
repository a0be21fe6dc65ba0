import { SigningCosmWasmClient } from "@cosmjs/cosmwasm-stargate";
import type { OfflineSigner } from "@cosmjs/proto-signing";
import { GasPrice } from "@cosmjs/stargate";

import { AscClient } from "./generated/Asc.client";

/** Where the contract is. */
export interface Network {
  /** RPC endpoint of a node of the KMS chain. Nothing else of the node is used. */
  rpcUrl: string;
  /** Address of the ASC. */
  contract: string;
  /** What a unit of gas costs, with its coin: `0.025ukms`. */
  gasPrice: string;
}

/** How often a node is asked whether a transaction is in a block; blocks come every 0.2 to 1 s. */
const POLL_MS = 200;

/**
 * The contract, as the first account of `signer` sees it: a wallet of the browser, or
 * `DirectSecp256k1Wallet` of `@cosmjs/proto-signing`.
 */
export async function connect(network: Network, signer: OfflineSigner): Promise<AscClient> {
  const [account] = await signer.getAccounts();
  if (account === undefined) {
    throw new Error("the signer has no account");
  }
  const client = await SigningCosmWasmClient.connectWithSigner(network.rpcUrl, signer, {
    gasPrice: GasPrice.fromString(network.gasPrice),
    broadcastPollIntervalMs: POLL_MS,
  });
  return new AscClient(client, account.address, network.contract);
}
