// A citizen with a browser without JavaScript, who knows nothing but the stable hooks of the pages.

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", '#x27': "'", '#34': '"', '#38': '&' };
const decode = (text) => text.replace(/&(#?\w+);/g, (whole, name) => entities[name.toLowerCase()] ?? whole);

function attributes(tag) {
  const found = {};
  for (const [, name, double, single, bare] of tag.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/g)) {
    found[name.toLowerCase()] = decode(double ?? single ?? bare ?? '');
  }
  return found;
}

// The page's name and a function that presses a button of it.
export function read(html) {
  const name = attributes(/<body[^>]*>/i.exec(html)?.[0] ?? '')['data-page'] ?? '';
  const press = (button, filled = {}, tick = false) => {
    for (const [, open, inside] of html.matchAll(/(<form[^>]*>)([\s\S]*?)<\/form>/gi)) {
      const controls = [...inside.matchAll(/<(input|button)\b[^>]*>/gi)].map(([tag, kind]) => ({ kind, ...attributes(tag) }));
      const pressed = controls.find((control) => control.id === button);
      if (!pressed) continue;
      const fields = new URLSearchParams();
      for (const control of controls) {
        if (control.name === undefined) continue;
        const isButton = control.kind.toLowerCase() === 'button' || control.type === 'submit';
        if (isButton ? control !== pressed : control.type === 'checkbox' && !tick) continue;
        fields.append(control.name, filled[control.id] ?? control.value ?? '');
      }
      return [pressed.formaction ?? attributes(open).action ?? '', fields];
    }
    throw new Error(`no #${button} on page ${name}`);
  };
  return { name, press };
}

export class Visitor {
  constructor(issuer, phone) {
    this.issuer = issuer;
    this.phone = phone;
    this.jar = new Map();
    this.url = issuer;
  }

  async request(method, url, body) {
    this.url = new URL(url, this.url).href;
    const headers = { cookie: [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '), 'accept-language': 'en' };
    const response = await fetch(this.url, { method, headers, body, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      this.jar.delete(name);
      if (value && !/max-age=0/i.test(cookie)) this.jar.set(name, value);
    }
    return [response.headers.get('location'), await response.text()];
  }

  // Follows redirects that stay with the provider: the address it leaves for, or the page it ends on.
  async follow(method, url, body) {
    for (let hop = 0; hop < 12; hop += 1) {
      const [location, html] = await this.request(method, url, body);
      if (location === null) return [undefined, html];
      url = new URL(location, this.url).href;
      if (!url.startsWith(`${this.issuer}/`)) return [url, html];
      [method, body] = ['GET', undefined];
    }
    throw new Error('redirects without end');
  }

  async otp(number) {
    const messages = await (await fetch(`${this.phone}/api/messages?to=${encodeURIComponent(number)}`)).json();
    return /(?<!\d)\d{6}(?!\d)/.exec(messages[0].text)[0];
  }

  // Through every page to the answer: an address, or for form_post the request the browser would send.
  async complete(url, holder, returnsTo) {
    let [away, html] = await this.follow('GET', url);
    for (let pages = 0; pages < 6; pages += 1) {
      if (away) return new URL(away);
      if (returnsTo && html.includes(`action="${returnsTo}"`)) {
        const fields = new URLSearchParams();
        for (const [tag] of html.matchAll(/<input\b[^>]*type="hidden"[^>]*>/gi)) {
          const { name, value } = attributes(tag);
          fields.append(name, value);
        }
        return new Request(returnsTo, { method: 'POST', body: fields });
      }
      const page = read(html);
      let form;
      if (page.name === 'sign-in') form = page.press('submit', { person_number: holder.number, password: holder.password });
      else if (page.name === 'otp') form = page.press('submit', { otp: await this.otp(holder.phone) });
      else if (page.name === 'consent') form = page.press('allow', {}, true);
      else throw new Error(`ended on page ${page.name}: ${html.slice(0, 2000)}`);
      [away, html] = await this.follow('POST', ...form);
    }
    throw new Error('no end after six pages');
  }
}
