// npm `oidc-provider`, unmodified, as the provider one signs in through: linking, then signing in by it.
// Reads what `shared.mjs` reads, and UPSTREAM: the port it listens on, which the sandbox's `--upstream` file names.
// The last line is `N passed, N failed`.

import Provider from 'oidc-provider';
import { check, ISSUER, PHONE, record, run } from './shared.mjs';
import { read, Visitor } from './visitor.mjs';

const port = Number(process.env.UPSTREAM);
const upstream = `http://localhost:${port}`;
const holder = { number: record.person_number, password: record.account.password, phone: record.account.phone };

const provider = new Provider(upstream, {
  clients: [{ client_id: 'idp', client_secret: process.env.UPSTREAM_SECRET, redirect_uris: [`${ISSUER}/upstream/node/callback`] }],
  claims: { openid: ['sub'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
});
const server = provider.listen(port, '127.0.0.1');

// Through its own pages: whatever account is typed, its development pages take it, and consent follows.
async function there(url, sub) {
  const browser = new Visitor(upstream, PHONE);
  let [away, html] = await browser.follow('GET', url);
  for (let pages = 0; !away && pages < 4; pages += 1) {
    const action = /<form[^>]*action="([^"]+)"/.exec(html)[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(html)[1];
    const fields = new URLSearchParams(prompt === 'login' ? { prompt, login: sub, password: 'x' } : { prompt });
    [away, html] = await browser.follow('POST', action, fields);
  }
  return away;
}

// From our sign-in page to the provider and back; the page it ends on.
async function signIn(sub) {
  const browser = new Visitor(ISSUER, PHONE);
  const [, html] = await browser.follow('GET', `${ISSUER}/identity`);
  const button = /id="upstream-node" href="([^"]+)"/.exec(html)[1].replaceAll('&amp;', '&').replaceAll('&#38;', '&');
  const [away] = await browser.follow('GET', button);
  const [, page] = await browser.follow('GET', await there(away, sub));
  return [browser, page];
}

async function everything() {
  const sub = `citizen-${Date.now()}`;
  let [browser, html] = await signIn(sub);
  check('a subject nobody linked is asked, not signed in', read(html).name === 'link');
  [, html] = await browser.follow('POST', ...read(html).press('submit', { person_number: holder.number, password: holder.password }));
  [, html] = await browser.follow('POST', ...read(html).press('submit', { otp: await browser.otp(holder.phone) }));
  check('linked by password and code', read(html).name === 'identity' && html.includes('id="links"'));
  [browser, html] = await signIn(sub);
  check('signs in by it', read(html).name === 'identity' && html.includes(record.name));
  [, html] = await signIn(`${sub}-other`);
  check('another subject is nobody', read(html).name === 'link');
}

await run([[everything, 'oidc-provider']]);
server.close();
process.exit();
