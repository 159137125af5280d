// openid-client, unmodified, as a FAPI 2.0 relying party: pushed requests, DPoP, signed requests and signed answers.
// Reads FAPI (the file `registrations.py` wrote) beside what `shared.mjs` reads.
// The last line is `N passed, N failed`.

import * as oidc from 'openid-client';
import { check, ISSUER, record, redirect_uri, refused, registered, run, signingKey, visitor } from './shared.mjs';

const clients = registered('FAPI');
const scope = 'openid profile email offline_access';

async function configuration(name, signed) {
  const signing = await signingKey(clients[name].key);
  const metadata = { id_token_signed_response_alg: 'ES256', authorization_signed_response_alg: 'ES256', use_mtls_endpoint_aliases: false };
  const config = await oidc.discovery(new URL(ISSUER), name, metadata, oidc.PrivateKeyJwt(signing), {
    execute: [oidc.allowInsecureRequests],
  });
  oidc.enableNonRepudiationChecks(config);
  if (signed) oidc.useJwtResponseMode(config);
  return { config, signing };
}

async function begin({ config, signing }, signed, DPoP) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  let parameters = {
    redirect_uri,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  };
  if (signed) parameters = (await oidc.buildAuthorizationUrlWithJAR(config, parameters, signing)).searchParams;
  return { checks, url: await oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP }) };
}

async function everything(name, signed) {
  const known = await configuration(name, signed);
  const { config } = known;
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
  const person = visitor();

  const { checks, url } = await begin(known, signed, DPoP);
  const sent = [...url.searchParams.keys()].sort().join(' ');
  check(`${name}: only the reference goes by the browser`, sent === 'client_id request_uri');
  const answer = await person.complete(url.href, redirect_uri);
  const said = [...answer.searchParams.keys()].join(' ');
  check(`${name}: the answer is ${signed ? 'one signed value' : 'plain, with iss'}`, signed ? said === 'response' : answer.searchParams.get('iss') === ISSUER);
  const tokens = await oidc.authorizationCodeGrant(config, answer, { ...checks, idTokenExpected: true }, undefined, { DPoP });
  const claims = tokens.claims();
  check(`${name}: sign-in, everything checked by openid-client`, claims.iss === ISSUER && tokens.token_type === 'dpop');

  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP });
  check(`${name}: userinfo with a proof`, info.name === record.name);
  const bare = await fetch(config.serverMetadata().userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  check(`${name}: the token alone opens nothing`, bare.status === 401);
  const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
  check(`${name}: nor does another key`, (await refused(oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP: other }))) !== undefined);

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  check(`${name}: refresh, not rotated`, refreshed.refresh_token === tokens.refresh_token);
  check(`${name}: no token without a proof`, (await refused(oidc.refreshTokenGrant(config, tokens.refresh_token))) === 'invalid_dpop_proof');
  const seen = await oidc.tokenIntrospection(config, refreshed.access_token);
  check(`${name}: introspection names the key`, seen.active === true && typeof seen.cnf?.jkt === 'string');

  const thief = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
  const again = await begin(known, signed, DPoP);
  const code = await person.complete(again.url.href, redirect_uri);
  const stolen = oidc.authorizationCodeGrant(config, code, { ...again.checks, idTokenExpected: true }, undefined, { DPoP: thief });
  check(`${name}: a code pushed with one key is not redeemed with another`, (await refused(stolen)) === 'invalid_grant');
}

await run([
  [everything, 'library-fapi2', false],
  [everything, 'library-fapi2-signed', true],
]);
