// npm `oidc-provider` as this load report runs it: the peer we measure ourselves against.
// Loopback only. All state in process memory, in plain Maps (the package's own
// MemoryAdapter keeps at most ~2,000 entries and walks every token of a grant on
// each write, which is meant for development and would measure that, not the OP).
import Provider from 'oidc-provider';
import { readFileSync } from 'node:fs';

const port = Number(process.env.PORT ?? 4100);
const keys = JSON.parse(readFileSync(process.env.KEYS_FILE, 'utf8')); // made by keys.mjs
const issuer = `http://127.0.0.1:${port}`;

class MapAdapter {
  static stores = new Map();
  static uid = new Map();
  static byGrant = new Map();
  constructor(model) {
    this.model = model;
    if (!MapAdapter.stores.has(model)) MapAdapter.stores.set(model, new Map());
    this.m = MapAdapter.stores.get(model);
  }
  async upsert(id, payload, expiresIn) {
    this.m.set(id, { payload, exp: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    if (payload.uid) MapAdapter.uid.set(payload.uid, id);
    if (payload.grantId && this.model !== 'Grant') {
      let s = MapAdapter.byGrant.get(payload.grantId);
      if (!s) MapAdapter.byGrant.set(payload.grantId, (s = new Set()));
      s.add(`${this.model} ${id}`);
    }
  }
  async find(id) {
    const e = this.m.get(id);
    if (!e) return undefined;
    if (e.exp <= Date.now()) { this.m.delete(id); return undefined; }
    return e.payload;
  }
  async findByUid(uid) { const id = MapAdapter.uid.get(uid); return id && this.find(id); }
  async findByUserCode() { return undefined; }
  async consume(id) { const e = this.m.get(id); if (e) e.payload.consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { this.m.delete(id); }
  async revokeByGrantId(grantId) {
    for (const k of MapAdapter.byGrant.get(grantId) ?? []) {
      const [model, id] = k.split(' ');
      MapAdapter.stores.get(model)?.delete(id);
    }
    MapAdapter.byGrant.delete(grantId);
  }
}

const rp = (alg) => ({
  client_id: `rp-${alg.toLowerCase()}`,
  client_secret: 'bench-secret-bench-secret-bench-secret',
  redirect_uris: ['http://127.0.0.1:9/cb'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  id_token_signed_response_alg: alg,
});

const resources = { 'urn:bench:es256': 'ES256', 'urn:bench:rs256': 'RS256' };

const provider = new Provider(issuer, {
  adapter: MapAdapter,
  jwks: { keys: [keys.es256, keys.rs256] },
  cookies: { keys: ['bench-cookie-key'] },
  clients: [
    rp('ES256'), rp('RS256'),
    {
      client_id: 'svc', client_secret: 'bench-secret-bench-secret-bench-secret',
      grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      client_id: 'svc-jwt', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [keys.client_es256_public] },
    },
  ],
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
  claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name', 'preferred_username'], email: ['email', 'email_verified'] },
  scopes: ['openid', 'offline_access', 'api'],
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, name: 'Bench User', given_name: 'Bench', family_name: 'User',
      preferred_username: 'bench', email: 'bench@example.org', email_verified: true,
    }),
  }),
  pkce: { required: () => true },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  interactions: { url: (_ctx, i) => `/bench-login/${i.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, r) => ({
        scope: 'api openid profile email', accessTokenTTL: 3600, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resources[r] } },
      }),
    },
  },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, ClientCredentials: 3600, Grant: 86400, IdToken: 3600,
    Interaction: 3600, RefreshToken: 86400, Session: 86400 },
});

// login + consent without a page: finishes any interaction as user "bench"
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/bench-login/')) return next();
  const d = await provider.interactionDetails(ctx.req, ctx.res);
  const g = d.grantId ? await provider.Grant.find(d.grantId) : new provider.Grant({ accountId: 'bench', clientId: d.params.client_id });
  g.addOIDCScope('openid profile email offline_access');
  for (const r of Object.keys(resources)) g.addResourceScope(r, 'api openid profile email');
  const grantId = await g.save();
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'bench' }, consent: { grantId } }, { mergeWithLastSubmission: false });
});

provider.on('server_error', (_ctx, e) => console.error(e));
provider.listen(port, '127.0.0.1');
