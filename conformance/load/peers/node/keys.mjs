// Prints the signing and client keys server.mjs reads, new ones each time.
import { generateKeyPairSync } from 'node:crypto';

const jwk = (key, more) => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more });
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const client = ec();
console.log(JSON.stringify({
  es256: jwk(ec().privateKey, { alg: 'ES256', kid: 'es' }),
  rs256: jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, { alg: 'RS256', kid: 'rs' }),
  client_es256_public: jwk(client.publicKey, { alg: 'ES256', kid: 'c' }),
}));
