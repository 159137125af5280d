const named = (e) => (e.textContent + (e.getAttribute('aria-label') || '') + (e.value || '') + (e.title || '')).trim();
const fields = [...document.querySelectorAll('input:not([type=hidden]):not([type=submit]), select, textarea')];
const origin = location.origin;
return {
  lang: document.documentElement.lang,
  headings: document.querySelectorAll('h1').length,
  unlabelled: fields.filter((f) => !f.hidden && !(f.labels && f.labels.length) && !f.getAttribute('aria-label') && !f.getAttribute('aria-labelledby')).map((f) => f.id || f.name),
  unnamed: [...document.querySelectorAll('button, a[href]')].filter((e) => !e.hidden && !named(e) && !e.querySelector('img[alt]')).map((e) => e.outerHTML.slice(0, 80)),
  foreign: [...document.querySelectorAll('img[src], script[src], link[rel=stylesheet][href], iframe[src]')].map((e) => e.src || e.href).filter((u) => u && !u.startsWith(origin) && !u.startsWith('data:')),
  overflow: Math.max(0, document.documentElement.scrollWidth - window.innerWidth),
  ticked: document.querySelectorAll('input[type=checkbox]:checked').length,
};
