// Sends requests with proofs that the library `dpop` makes. The argument is the algorithm of the key; the first line that it
// prints is the key's thumbprint. Then each line of its input, JSON with `url`, `method` and `token`, gets one line of
// output: the status of every answer, for where a nonce is asked for the request is sent again with it.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

// Node.js 18 has them, but not where browsers do.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const DPoP = await import("dpop");

const keys = await DPoP.generateKeyPair(process.argv[2]);
console.log(await DPoP.calculateThumbprint(keys.publicKey));

let nonce;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const statuses = [await send(request)];
  if (statuses[0] === 401 && nonce !== undefined) {
    statuses.push(await send(request));
  }
  console.log(JSON.stringify(statuses));
}

async function send({ url, method, token }) {
  const proof = await DPoP.generateProof(keys, url, method, nonce, token);
  const answer = await fetch(url, { method, headers: { authorization: `DPoP ${token}`, dpop: proof } });
  await answer.arrayBuffer();
  nonce = answer.headers.get("dpop-nonce") ?? nonce;
  return answer.status;
}
