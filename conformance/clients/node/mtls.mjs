// openid-client, unmodified, as a FAPI 2.0 relying party with mutual TLS: it authenticates by certificate, its tokens are
// bound to the certificate or to a key, and it calls the provider by the aliases of its metadata.
// Reads MUTUAL (the directory `registrations.py` wrote), AUTHORITY and RESOURCE beside what `shared.mjs` reads.
// The last line is `N passed, N failed`.

import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as oidc from 'openid-client';
import { Agent, fetch as send } from 'undici';
import { check, ISSUER, record, redirect_uri, refused, RESOURCE, run, visitor } from './shared.mjs';

const ca = readFileSync(process.env.AUTHORITY, 'utf8');
const file = (name) => readFileSync(`${process.env.MUTUAL}/${name}`, 'utf8');

// The way out with a certificate, or without one.
function way(name) {
  const shown = name ? { cert: file(`${name}.pem`), key: file(`${name}.key`) } : {};
  const dispatcher = new Agent({ connect: { ca, ...shown } });
  return (url, options) => send(url, { ...options, dispatcher });
}

// What the certificate is called in a token (RFC 8705 §3.1).
const thumbprint = (name) => createHash('sha256').update(new X509Certificate(file(`${name}.pem`)).raw).digest('base64url');

async function configuration(name, shown = name) {
  const metadata = { id_token_signed_response_alg: 'ES256', use_mtls_endpoint_aliases: true };
  const config = await oidc.discovery(new URL(ISSUER), name, metadata, oidc.TlsClientAuth(), {
    execute: [oidc.allowInsecureRequests],
    [oidc.customFetch]: way(shown),
  });
  oidc.enableNonRepudiationChecks(config);
  return config;
}

async function begin(config, more) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  const parameters = new URLSearchParams({
    redirect_uri,
    scope: 'openid profile offline_access dossiers.read',
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
  for (const resource of [ISSUER, RESOURCE]) parameters.append('resource', resource);
  return { checks, url: await oidc.buildAuthorizationUrlWithPAR(config, parameters, more) };
}

async function everything(name, wrong, byKey) {
  const config = await configuration(name);
  const [stranger, nobody] = [await configuration(name, wrong), await configuration(name, null)];
  const more = byKey ? { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) } : {};
  const aliases = config.serverMetadata().mtls_endpoint_aliases;
  check(`${name}: the aliases are elsewhere`, new URL(aliases.token_endpoint).origin !== ISSUER);
  check(`${name}: no request without the certificate`, (await refused(begin(nobody, more))) === 'invalid_client');
  check(`${name}: nor with another one`, (await refused(begin(stranger, more))) === 'invalid_client');

  const { checks, url } = await begin(config, more);
  const answer = await visitor().complete(url.href, redirect_uri);
  const tokens = await oidc.authorizationCodeGrant(config, answer, { ...checks, idTokenExpected: true }, { resource: ISSUER }, more);
  const { iss, sub } = tokens.claims();
  check(`${name}: sign-in, everything checked by openid-client`, iss === ISSUER && tokens.token_type === (byKey ? 'dpop' : 'bearer'));
  check(`${name}: userinfo by the alias`, (await oidc.fetchUserInfo(config, tokens.access_token, sub, more)).name === record.name);

  check(`${name}: no refresh with another certificate`, (await refused(oidc.refreshTokenGrant(stranger, tokens.refresh_token, undefined, more))) === 'invalid_client');
  const api = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: RESOURCE }, more);
  const seen = await oidc.tokenIntrospection(config, api.access_token);
  const cnf = byKey ? 'jkt' : 'x5t#S256';
  const expected = byKey ? await more.DPoP.calculateThumbprint() : thumbprint(name);
  check(`${name}: introspection names the ${byKey ? 'key' : 'certificate'}`, seen.active && seen.cnf[cnf] === expected && Object.keys(seen.cnf).length === 1);
  const read = (by) => oidc.fetchProtectedResource(by, api.access_token, new URL(`${RESOURCE}/dossiers`), 'GET', null, undefined, more);
  check(`${name}: the resource server answers`, (await (await read(config)).json()).sub === sub);

  if (byKey) {
    check(`${name}: a token bound to a key asks for no certificate`, (await read(nobody)).status === 200);
  } else {
    const info = (by) => oidc.fetchUserInfo(by, tokens.access_token, sub);
    check(`${name}: no userinfo with another certificate`, (await refused(info(stranger))) === 'invalid_token');
    check(`${name}: nor without one`, (await refused(info(nobody))) === 'invalid_token');
    check(`${name}: no dossiers with another certificate`, (await refused(read(stranger))) === 'invalid_token');
    check(`${name}: nor without one`, (await refused(read(nobody))) === 'invalid_token');
    const plain = await fetch(config.serverMetadata().userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    check(`${name}: nor where no certificate is asked for`, plain.status === 401);
  }
  await oidc.tokenRevocation(config, tokens.refresh_token);
  check(`${name}: revocation`, (await refused(oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, more))) === 'invalid_grant');
}

await run([
  [everything, 'mutual-issued', 'mutual-self-signed'],
  [everything, 'mutual-self-signed', 'mutual-issued'],
  [everything, 'mutual-named', 'mutual-issued'],
  [everything, 'mutual-dpop', 'mutual-issued', true],
]);
