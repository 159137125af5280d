// Prints the signing keys server.mjs reads, new ones each time, and the client's public key in the file named.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const jwk = (key, more) => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more });
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
console.log(JSON.stringify({
  es256: jwk(ec().privateKey, { alg: 'ES256', kid: 'es' }),
  rs256: jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, { alg: 'RS256', kid: 'rs' }),
  client_es256_public: JSON.parse(readFileSync(process.argv[2], 'utf8')),
}));
