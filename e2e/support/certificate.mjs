// A key and a certificate for a server of a test's own. Nobody has signed it: the browser has to be told not to mind.
import { generateKeyPairSync, sign } from "node:crypto";

/** A value of ASN.1 in DER: its tag, its length, and what is in it. */
function der(tag, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts) => der(0x30, ...parts);

/** `key` and `cert` for `createServer` of node:https, good for this century: RFC 5280. */
export function certificate() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])); // ecdsa-with-SHA256
  const commonName = sequence(der(0x06, [0x55, 0x04, 0x03]), der(0x0c, "a test"));
  const name = sequence(der(0x31, commonName));
  const years = ["200101000000Z", "491231235959Z"].map((time) => der(0x17, time));
  const version = der(0xa0, der(0x02, [2])); // 3
  const told = sequence(version, der(0x02, [1]), algorithm, name, sequence(...years), name, publicKey.export({ type: "spki", format: "der" }));
  const signature = der(0x03, [0], sign("sha256", told, privateKey));
  const pem = sequence(told, algorithm, signature).toString("base64").replace(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`,
  };
}
