// Asks the public client of user decryptions, node-tkms, about one answer, with `verify = true`: it must accept the answer and
// read the values that are named, and must refuse the answer for a flipped bit, another user, another key, another domain,
// another operator and another handle.
//
//   node check.js CASE.json
//
// The form of a case is that of vector.json; its `made_of` is not read. Prints what was tried and how often, as JSON.
'use strict';

const fs = require('node:fs');
const tkms = require('node-tkms');

const OTHER = '0x17853A630aAe15AED549B2B874de08B73C0F59c5';

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (array) => Buffer.from(array).toString('hex');

// 32 bytes, big-endian.
function word(number) {
  return bytes(BigInt(number).toString(16).padStart(64, '0'));
}

function domainOf(domain) {
  return {
    name: domain.name,
    version: domain.version,
    chain_id: word(domain.chain_id),
    verifying_contract: domain.verifying_contract,
    salt: domain.salt === null ? null : bytes(domain.salt),
  };
}

function secretKey(long) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(long.length / 2));
  return tkms.u8vec_to_ml_kem_pke_sk(Uint8Array.from(Buffer.concat([length, Buffer.from(long, 'hex')])));
}

// The values of the answer, if the client accepts it; else throws.
function read(asked) {
  const servers = [tkms.new_server_id_addr(1, asked.signer)];
  const client = tkms.new_client(servers, asked.user, 'default');
  const request = {
    signature: undefined,
    client_address: asked.user,
    enc_key: asked.enc_key,
    ciphertext_handles: asked.handles,
    eip712_verifying_contract: asked.domain.verifying_contract,
  };
  const secret = secretKey(asked.secret_key);
  const values = tkms.process_user_decryption_resp_from_js(
    client, request, domainOf(asked.domain), [asked.response], tkms.ml_kem_pke_get_pk(secret), secret, true);
  return values.map((value) => ({ fhe_type: value.fhe_type, value: hex(value.bytes) }));
}

function flipped(text, bit) {
  const changed = Buffer.from(text, 'hex');
  changed[bit >> 3] ^= 1 << (bit & 7);
  return hex(changed);
}

// One bit in every 37th byte, and in each of the last bytes, which say who answered.
function flips(field, text) {
  const length = text.length / 2;
  const places = [...Array(length).keys()].filter((at) => at % 37 === 0 || at >= length - 8);
  return places.map((at) => [field, flipped(text, at * 8 + (at % 8))]);
}

function forgeries(known) {
  const withResponse = (change) => ({ ...known, response: { ...known.response, ...change } });
  const withDomain = (change) => ({ ...known, domain: { ...known.domain, ...change } });
  const other = tkms.ml_kem_pke_keygen();
  const otherSecret = hex(tkms.ml_kem_pke_sk_to_u8vec(other).slice(8));
  const otherKey = hex(tkms.ml_kem_pke_pk_to_u8vec(tkms.ml_kem_pke_get_pk(other)));
  const { payload, signature } = known.response;
  return {
    'flipped bit': [...flips('payload', payload), ...flips('signature', signature)]
      .map(([field, text]) => withResponse({ [field]: text })),
    'another user': [{ ...known, user: OTHER }],
    'another key': [
      { ...known, secret_key: otherSecret },
      { ...known, enc_key: otherKey },
      { ...known, enc_key: otherKey, secret_key: otherSecret },
    ],
    'another domain': [
      withDomain({ name: known.domain.name + 's' }),
      withDomain({ version: '2' }),
      withDomain({ chain_id: (BigInt(known.domain.chain_id) + 1n).toString() }),
      withDomain({ verifying_contract: OTHER }),
      withDomain({ salt: '07'.repeat(32) }),
    ],
    'another operator': [{ ...known, signer: OTHER }],
    'another handle': [{ ...known, handles: [flipped(known.handles[0], 0), ...known.handles.slice(1)] }],
  };
}

function refuses(forged) {
  try {
    read(forged);
    return false;
  } catch {
    return true;
  }
}

function main(file) {
  const known = JSON.parse(fs.readFileSync(file, 'utf8'));
  const values = read(known);
  const same = (value, at) => value.fhe_type === known.values[at]?.fhe_type && value.value === known.values[at].value;
  if (values.length !== known.values.length || !values.every(same)) {
    throw new Error(`${JSON.stringify(values)} was read, expected ${JSON.stringify(known.values)}`);
  }
  const refused = {};
  for (const [name, cases] of Object.entries(forgeries(known))) {
    const accepted = cases.findIndex((forged) => !refuses(forged));
    if (accepted !== -1) throw new Error(`${name}, case ${accepted} of ${cases.length}: accepted`);
    refused[name] = cases.length;
  }
  console.log(JSON.stringify({ accepted: values.length, refused }));
}

main(process.argv[2]);
