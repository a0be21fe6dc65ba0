import type { AscClient, Credit } from "../src";

/** Pays out what the sender has earned as an operator, or could not be refunded. */
export async function withdraw(asc: AscClient): Promise<Credit> {
  const credit = await asc.credit({ address: asc.sender });
  await asc.withdraw({});
  return credit;
}
