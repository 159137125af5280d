// What every relying party here stands on: the holder who signs in, the keys that were registered, and the count.
// Reads ISSUER, PHONE and HOLDERS from the environment.

import { readFileSync } from 'node:fs';
import { Visitor } from './visitor.mjs';

export const { ISSUER, PHONE, RESOURCE } = process.env;
export const record = JSON.parse(readFileSync(process.env.HOLDERS, 'utf8').split('\n')[0]);
const holder = { number: record.person_number, password: record.account.password, phone: record.account.phone };
export const redirect_uri = 'https://rp.example.vn/callback';
export const post_logout_redirect_uri = 'https://rp.example.vn/bye';
let [passed, failed] = [0, 0];

// A file that `registrations.py` wrote, named by a variable of the environment.
export const registered = (variable) => JSON.parse(readFileSync(process.env[variable], 'utf8'));

// A citizen in front of a browser of their own: `complete(url)` goes through every page to the answer.
export function visitor() {
  const browser = new Visitor(ISSUER, PHONE);
  return { complete: (url, returnsTo) => browser.complete(url, holder, returnsTo) };
}

export function check(name, holds) {
  if (holds) passed += 1;
  else failed += 1;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${name}`);
}

// How a promise was refused: the error of the answer, of its challenge, or the library's own; undefined when it was not.
export async function refused(promise) {
  try {
    await promise;
    return undefined;
  } catch (error) {
    const challenge = error.cause?.[0];
    // Beside a challenge without an error the libraries leave the body unread.
    const body = challenge?.scheme && !challenge.parameters.error ? await error.response.json() : {};
    return error.error ?? challenge?.parameters?.error ?? body.error ?? error.code;
  }
}

const webCrypto = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, PS256: { name: 'RSA-PSS', hash: 'SHA-256' } };

// The key a client registered, as these libraries take it.
export async function signingKey({ kid, alg, use, ...members }) {
  return { kid, key: await crypto.subtle.importKey('jwk', members, webCrypto[alg], false, ['sign']) };
}

// Runs each journey to its end, `[function, name, more]`, and prints the last line: `N passed, N failed`.
export async function run(journeys) {
  for (const [journey, name, ...more] of journeys) {
    try {
      await journey(name, ...more);
    } catch (error) {
      console.error(error);
      check(`${name}: ${journey.name} to the end`, false);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
