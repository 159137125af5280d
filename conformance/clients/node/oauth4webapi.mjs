// oauth4webapi, unmodified, as relying party in every profile: plain OpenID Connect, both FAPI 2.0 profiles, plain OAuth
// without OpenID Connect, and a client that registers itself; with the resource server whose tokens they ask for.
// Reads WEB (the file `registrations.py` wrote), RESOURCE and INVITATION (a file of `admin client invite --json`) beside
// what `shared.mjs` reads.
// The last line is `N passed, N failed`.

import * as oauth from 'oauth4webapi';
import { check, ISSUER, record, redirect_uri, refused, registered, RESOURCE, run, signingKey, visitor } from './shared.mjs';

const clients = registered('WEB');
// The issuer of a sandbox is on this machine, without TLS.
const insecure = { [oauth.allowInsecureRequests]: true };

class RelyingParty {
  constructor(name, as, client, auth, key) {
    Object.assign(this, { name, as, client, auth, key });
    this.options = { ...insecure };
  }

  static async open(name, { algorithm = 'oidc', ...metadata } = {}) {
    const issuer = new URL(ISSUER);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
    const { secret, key } = clients[name] ?? { secret: metadata.client_secret };
    const signing = key && (await signingKey(key));
    const auth = secret ? oauth.ClientSecretBasic(secret) : oauth.PrivateKeyJwt(signing);
    const client = { client_id: name, id_token_signed_response_alg: 'ES256', ...metadata };
    return new RelyingParty(name, as, client, auth, signing);
  }

  async proves(alg) {
    this.options.DPoP = oauth.DPoP(this.client, await oauth.generateKeyPair(alg));
    return this;
  }

  // Where the browser is sent: by plain parameters, or by what was pushed, signed or not.
  async begin({ scope, pushed, signed, resources, ...more }) {
    this.checks = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce() };
    let parameters = new URLSearchParams({
      client_id: this.name,
      redirect_uri,
      response_type: 'code',
      scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.checks.verifier),
      code_challenge_method: 'S256',
      state: this.checks.state,
      ...(scope.split(' ').includes('openid') ? { nonce: this.checks.nonce } : {}),
      ...(signed ? { response_mode: 'jwt' } : {}),
      ...more,
    });
    for (const resource of resources ?? []) parameters.append('resource', resource);
    if (signed) {
      const request = await oauth.issueRequestObject(this.as, this.client, parameters, this.key);
      parameters = new URLSearchParams({ client_id: this.name, request });
    }
    if (pushed) {
      const response = await oauth.pushedAuthorizationRequest(this.as, this.client, this.auth, parameters, this.options);
      const { request_uri } = await oauth.processPushedAuthorizationResponse(this.as, this.client, response);
      parameters = new URLSearchParams({ client_id: this.name, request_uri });
    }
    return new URL(`?${parameters}`, this.as.authorization_endpoint);
  }

  async finish(answer, { signed, resource }) {
    const validated = signed
      ? await oauth.validateJwtAuthResponse(this.as, this.client, answer, this.checks.state, insecure)
      : oauth.validateAuthResponse(this.as, this.client, answer, this.checks.state);
    const options = { ...this.options, additionalParameters: resource ? { resource } : {} };
    return oauth.authorizationCodeGrantRequest(this.as, this.client, this.auth, validated, redirect_uri, this.checks.verifier, options);
  }

  async tokens(response) {
    const expected = { expectedNonce: this.checks.nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(this.as, this.client, response, expected);
    await oauth.validateApplicationLevelSignature(this.as, response, insecure);
    return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
  }

  async refresh(token, resource) {
    const options = { ...this.options, additionalParameters: resource ? { resource } : {} };
    const response = await oauth.refreshTokenGrantRequest(this.as, this.client, this.auth, token, options);
    return oauth.processRefreshTokenResponse(this.as, this.client, response);
  }

  async userinfo(token, sub, options = this.options) {
    const response = await oauth.userInfoRequest(this.as, this.client, token, options);
    const info = await oauth.processUserInfoResponse(this.as, this.client, sub, response);
    if (this.client.userinfo_signed_response_alg) await oauth.validateApplicationLevelSignature(this.as, response, insecure);
    return info;
  }

  async introspect(token) {
    const response = await oauth.introspectionRequest(this.as, this.client, this.auth, token, insecure);
    const told = await oauth.processIntrospectionResponse(this.as, this.client, response);
    if (this.client.introspection_signed_response_alg) await oauth.validateApplicationLevelSignature(this.as, response, insecure);
    return told;
  }

  async revoke(token) {
    await oauth.processRevocationResponse(await oauth.revocationRequest(this.as, this.client, this.auth, token, insecure));
  }

  // The sample resource server; over TLS, so nothing is forgiven.
  async dossiers(token, path = '/dossiers', { DPoP } = this.options) {
    const response = await oauth.protectedResourceRequest(token, 'GET', new URL(RESOURCE + path), new Headers(), null, { DPoP });
    return response.json();
  }
}

const profiles = {
  'web-oidc': { metadata: { userinfo_signed_response_alg: 'EdDSA' } },
  'web-fapi2': { proves: 'ES256', pushed: true },
  'web-fapi2-signed': {
    proves: 'PS256',
    pushed: true,
    signed: true,
    metadata: { id_token_signed_response_alg: 'PS256', authorization_signed_response_alg: 'PS256', introspection_signed_response_alg: 'ES256' },
  },
};

async function everything(name) {
  const { proves, pushed, signed, metadata } = profiles[name];
  const party = await RelyingParty.open(name, metadata);
  if (proves) await party.proves(proves);
  const person = visitor();
  const ask = { scope: 'openid profile offline_access dossiers.read', pushed, signed, resources: [ISSUER, RESOURCE] };

  const url = await party.begin(ask);
  const sent = [...url.searchParams.keys()].sort().join(' ');
  check(`${name}: ${pushed ? 'only the reference goes' : 'the request goes'} by the browser`, (sent === 'client_id request_uri') === Boolean(pushed));
  const answer = await person.complete(url.href, redirect_uri);
  const said = [...answer.searchParams.keys()].join(' ');
  check(`${name}: the answer is ${signed ? 'one signed value' : 'plain, with iss'}`, signed ? said === 'response' : answer.searchParams.get('iss') === ISSUER);
  const tokens = await party.tokens(await party.finish(answer, { signed, resource: ISSUER }));
  check(`${name}: sign-in, everything checked by oauth4webapi`, tokens.claims.iss === ISSUER && tokens.token_type === (proves ? 'dpop' : 'bearer'));
  const info = await party.userinfo(tokens.access_token, tokens.claims.sub);
  check(`${name}: userinfo${metadata?.userinfo_signed_response_alg ? ', signed' : ''}`, info.name === record.name);

  const api = await party.refresh(tokens.refresh_token, RESOURCE);
  check(`${name}: refresh for the resource server, not rotated`, api.refresh_token === tokens.refresh_token);
  const read = await party.dossiers(api.access_token);
  check(`${name}: the resource server answers`, read.sub === tokens.claims.sub && read.dossiers.length > 0);
  check(`${name}: but not to the token for userinfo`, (await refused(party.dossiers(tokens.access_token))) === 'invalid_token');
  check(`${name}: nor userinfo to the other`, (await refused(party.userinfo(api.access_token, read.sub))) === 'invalid_token');
  if (proves) {
    const other = { DPoP: oauth.DPoP(party.client, await oauth.generateKeyPair('ES256')) };
    check(`${name}: another key opens nothing`, (await refused(party.dossiers(api.access_token, '/dossiers', other))) === 'invalid_token');
    check(`${name}: no key opens nothing`, (await refused(party.dossiers(api.access_token, '/dossiers', {}))) === 'invalid_token');
  }
  const seen = await party.introspect(api.access_token);
  const bound = proves ? seen.cnf?.jkt === (await party.options.DPoP.calculateThumbprint()) : seen.cnf === undefined;
  check(`${name}: introspection${metadata?.introspection_signed_response_alg ? ', signed' : ''}`, seen.active && seen.aud === RESOURCE && bound);

  await stepUp(party, person, ask, api.access_token);
  await party.revoke(tokens.refresh_token);
  check(`${name}: revocation`, (await refused(party.refresh(tokens.refresh_token))) === 'invalid_grant');
  check(`${name}: the resource server knows at once`, (await refused(party.dossiers(api.access_token))) === 'invalid_token');
}

// RFC 9470: the challenge names what would do, and a sign-in that asks for it does.
async function stepUp(party, person, ask, token) {
  const whole = '/dossiers/1.004222';
  let challenge = {};
  try {
    await party.dossiers(token, whole);
  } catch (error) {
    challenge = error.cause?.[0]?.parameters ?? {};
  }
  check(`${party.name}: step-up is asked for`, challenge.error === 'insufficient_user_authentication');
  const url = await party.begin({ ...ask, acr_values: challenge.acr_values });
  const answer = await person.complete(url.href, redirect_uri);
  const stronger = await party.tokens(await party.finish(answer, { signed: ask.signed, resource: RESOURCE }));
  check(`${party.name}: and reached`, (await party.dossiers(stronger.access_token, whole)).service === '1.004222');
}

// Neither ID token nor userinfo: RFC 8414 metadata, a code, a token, a resource (RFC 9728).
async function plainOAuth(name) {
  const party = await (await RelyingParty.open(name, { algorithm: 'oauth2' })).proves('ES256');
  const resource = new URL(RESOURCE);
  const server = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource));
  check(`${name}: the resource server names its issuer`, server.authorization_servers.includes(party.as.issuer));
  const ask = { scope: server.scopes_supported.join(' '), pushed: true, resources: [server.resource] };
  const answer = await visitor().complete((await party.begin(ask)).href, redirect_uri);
  const response = await party.finish(answer, { resource: server.resource });
  const tokens = await oauth.processAuthorizationCodeResponse(party.as, party.client, response);
  check(`${name}: no ID token without openid`, tokens.id_token === undefined && tokens.scope === 'dossiers.read');
  check(`${name}: the resource server answers a plain OAuth client`, (await party.dossiers(tokens.access_token)).client_id === name);
}

// RFC 7591, RFC 7592: a client nobody put there beforehand, from its registration to its end.
async function registersItself() {
  const { as } = await RelyingParty.open('web-oidc');
  const asked = { redirect_uris: [redirect_uri], client_name: 'Portal', id_token_signed_response_alg: 'ES256' };
  const admit = async (initialAccessToken) =>
    oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, asked, { initialAccessToken, ...insecure }));
  const { initial_access_token } = registered('INVITATION');
  check('invited: a stranger is not admitted', (await refused(admit('nobody'))) === 'invalid_token');
  const told = await admit(initial_access_token);
  const name = told.client_id;
  check('invited: whoever was invited is', typeof told.client_secret === 'string' && told.registration_client_uri.startsWith(ISSUER));
  check('invited: once', (await refused(admit(initial_access_token))) === 'invalid_token');
  const party = await RelyingParty.open(name, told);
  const answer = await visitor().complete((await party.begin({ scope: 'openid profile' })).href, redirect_uri);
  const tokens = await party.tokens(await party.finish(answer, {}));
  check('invited: signs somebody in', tokens.claims.aud === name && (await party.userinfo(tokens.access_token, tokens.claims.sub)).name === record.name);

  const manage = (method) => fetch(told.registration_client_uri, { method, headers: { authorization: `Bearer ${told.registration_access_token}` } });
  check('invited: reads what it registered', (await (await manage('GET')).json()).client_id === name);
  check('invited: and ends', (await manage('DELETE')).status === 204 && (await manage('GET')).status === 401);
  check('invited: with its tokens', (await refused(party.userinfo(tokens.access_token, tokens.claims.sub))) === 'invalid_token');
}

await run([...Object.keys(profiles).map((name) => [everything, name]), [plainOAuth, 'web-fapi2'], [registersItself, 'invited']]);
