// openid-client, unmodified, as relying party: sign-in, userinfo, refresh, introspection, revocation, sign-out.
// Reads CLIENTS (the file `registrations.py` wrote) beside what `shared.mjs` reads.
// The last line is `N passed, N failed`.

import * as oidc from 'openid-client';
import { check, ISSUER, post_logout_redirect_uri, record, redirect_uri, refused, registered, run, signingKey, visitor } from './shared.mjs';

const clients = registered('CLIENTS');
const scope = 'openid profile email phone address offline_access vn_identity vn_eid_status';
const algorithms = { 'library-basic': 'ES256', 'library-public': 'EdDSA', 'library-key': 'PS256' };

async function configuration(name) {
  const { method, secret, key } = clients[name];
  let proof;
  if (method === 'client_secret_basic') proof = oidc.ClientSecretBasic(secret);
  else if (method === 'client_secret_post') proof = oidc.ClientSecretPost(secret);
  else if (method === 'none') proof = oidc.None();
  else proof = oidc.PrivateKeyJwt(await signingKey(key));
  const metadata = { id_token_signed_response_alg: algorithms[name] ?? 'RS256' };
  const config = await oidc.discovery(new URL(ISSUER), name, metadata, proof, { execute: [oidc.allowInsecureRequests] });
  // The signature as well as the channel it came through.
  oidc.enableNonRepudiationChecks(config);
  return config;
}

async function signIn(config, person, more = {}) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  const parameters = {
    redirect_uri,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  const answer = await person.complete(oidc.buildAuthorizationUrl(config, parameters).href, redirect_uri);
  if (more.max_age) checks.maxAge = Number(more.max_age);
  return oidc.authorizationCodeGrant(config, answer, { ...checks, idTokenExpected: true });
}

async function everything(name, more) {
  const [config, person] = [await configuration(name), visitor()];
  const tokens = await signIn(config, person, more);
  const claims = tokens.claims();
  check(`${name}: sign-in, everything checked by openid-client`, claims.iss === ISSUER && claims.sub.length > 0);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  check(`${name}: userinfo`, info.name === record.name && info.vn_personal_id === record.person_number);
  const again = await signIn(config, person, { prompt: 'none', max_age: '10000' });
  check(`${name}: silent second sign-in`, again.claims().sid === claims.sid && again.claims().auth_time === claims.auth_time);

  const refreshed = await oidc.refreshTokenGrant(config, again.refresh_token);
  const rotated = refreshed.refresh_token !== again.refresh_token;
  check(`${name}: refresh, rotated exactly for a public client`, rotated === (clients[name].method === 'none'));
  const later = await oidc.fetchUserInfo(config, refreshed.access_token, claims.sub);
  check(`${name}: the new access token works`, later.sub === claims.sub);
  if (clients[name].method !== 'none') {
    const seen = await oidc.tokenIntrospection(config, refreshed.access_token);
    check(`${name}: introspection`, seen.active === true && seen.client_id === name);
  }
  await oidc.tokenRevocation(config, refreshed.refresh_token);
  check(`${name}: revocation`, (await refused(oidc.refreshTokenGrant(config, refreshed.refresh_token))) === 'invalid_grant');

  const state = oidc.randomState();
  const out = oidc.buildEndSessionUrl(config, { post_logout_redirect_uri, id_token_hint: again.id_token, state });
  const left = await person.complete(out.href);
  check(`${name}: sign-out`, left.href === `${post_logout_redirect_uri}?state=${state}`);
  check(`${name}: nobody is signed in any more`, (await refused(signIn(config, person, { prompt: 'none' }))) === 'login_required');
}

async function stepUp(name) {
  const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:vn:eid:muc:2' } } });
  const tokens = await signIn(await configuration(name), visitor(), { claims });
  const { acr, amr } = tokens.claims();
  check(`${name}: level 2 demanded by an essential claim`, acr === 'urn:vn:eid:muc:2' && amr.includes('mfa'));
}

const journeys = Object.keys(clients)
  // openid-client names the issuer as audience, as RFC 7523bis wants it.
  .filter((name) => name !== 'library-key-endpoint')
  .map((name) => [everything, name, name === 'library-post' ? { response_mode: 'form_post' } : {}]);
await run([...journeys, [stepUp, 'library-basic']]);
