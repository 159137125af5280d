"""Signing in at a provider, and one flow at a time: what the measured ones are prepared and checked with."""
import base64, hashlib, http.client, http.cookiejar, importlib.util, json, os, re, subprocess, urllib.error, urllib.parse, urllib.request

VERIFIER = "bench-verifier-0123456789-0123456789-0123456789-01"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FORM = "application/x-www-form-urlencoded"


class Stop(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *a, **k):
        return None


def http_once(url, jar=None, data=None, headers=None):
    handlers = [Stop()] + ([urllib.request.HTTPCookieProcessor(jar)] if jar is not None else [])
    r = urllib.request.Request(url, data=data.encode() if isinstance(data, str) else data, headers=headers or {})
    try:
        x = urllib.request.build_opener(*handlers).open(r, timeout=20)
    except urllib.error.HTTPError as e:
        x = e
    return x.status, x.headers, x.read().decode(errors="replace")


def client_auth(c):
    q = urllib.parse.quote_plus
    return "Basic " + base64.b64encode(f"{q(c['id'])}:{q(c['secret'])}".encode()).decode()


def authz_request(c):
    return urllib.parse.urlencode(dict(
        client_id=c["id"], response_type="code", redirect_uri=c["redirect_uri"],
        scope=c.get("scope", "openid profile email offline_access"), code_challenge=CHALLENGE, code_challenge_method="S256"))


def authz_path(peer, c):
    return peer.path("authorization_endpoint") + "?" + authz_request(c)


def follow_login(peer, c):
    """For a peer that finishes sign-in and consent by redirects alone: the Cookie line of a signed-in browser."""
    jar = http.cookiejar.CookieJar()
    base = peer.cfg["base_url"]
    url = base + authz_path(peer, c) + "&state=l&nonce=l"
    for _ in range(12):
        st, h, b = http_once(url, jar)
        if not h.get("Location"):
            raise SystemExit(f"login stopped: {st} {b[:300]}")
        url = urllib.parse.urljoin(url, h["Location"])
        if url.startswith(c["redirect_uri"]):
            break
    if "code=" not in url:
        raise SystemExit(f"login gave no code: {url}")
    r = urllib.request.Request(base + peer.path("authorization_endpoint"))
    jar.add_cookie_header(r)
    return r.get_header("Cookie") or ""


def plugin(peer):
    """The provider's own way through its pages; none where redirects alone lead through."""
    name = peer.cfg.get("login_plugin")
    if not name:
        return None
    spec = importlib.util.spec_from_file_location("peer_login", os.path.join(peer.dir, name))
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


def login(peer, c, **who):
    pages = plugin(peer)
    if not pages:
        return follow_login(peer, c)
    return pages.login(peer.cfg["base_url"], authz_path(peer, c) + "&state=l&nonce=l", c["redirect_uri"], http_once, **who)


def token_body(c):
    return urllib.parse.urlencode(dict(grant_type="authorization_code", redirect_uri=c["redirect_uri"], code_verifier=VERIFIER))


def code_flow(peer, c, cookie, n):
    base = peer.cfg["base_url"]
    st, h, b = http_once(base + authz_path(peer, c) + f"&state=p{n}&nonce=p{n}", headers={"Cookie": cookie, "Accept": "text/html"})
    m = re.search(r"[?&]code=([^&#]+)", h.get("Location") or "")
    if not m:
        raise SystemExit(f"no code: {st} {h.get('Location')} {b[:300]}")
    st, h, b = http_once(base + peer.path("token_endpoint"), data=token_body(c) + "&code=" + m.group(1), headers={
        "Authorization": client_auth(c), "Content-Type": "application/x-www-form-urlencoded"})
    if st != 200:
        raise SystemExit(f"token: {st} {b[:300]}")
    return json.loads(b)


# ---------------------------------------------------------------- one connection, whole requests, the operator's program
class Line:
    """One kept connection to the provider, as a browser or a program has it."""

    def __init__(self, peer):
        self.connection = http.client.HTTPConnection(peer.host, peer.port, timeout=30)

    def ask(self, method, path, headers=None, body=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")


def whole(peer, method, path, headers, body=""):
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: " + urllib.parse.urlsplit(peer.cfg["base_url"]).netloc]
    lines += [f"{k}: {v}" for k, v in headers.items()]
    if method == "POST":
        lines += [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def admin(peer, *arguments):
    """The operator's program on the store of the running server."""
    config = peer.cfg["start"]["cmd"][2]
    r = subprocess.run([os.path.join(os.environ["BIN_DIR"], "admin"), "--config", config, *map(str, arguments)],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if r.returncode:
        raise SystemExit(f"admin {' '.join(map(str, arguments))}: {r.stderr[:600]}")


def people(peer, tmp, numbers, password):
    """Imports somebody with this password under each number."""
    file = os.path.join(tmp, "people.jsonl")
    account = {"level": 1, "state": "activated", "password": password}
    with open(file, "w") as f:
        for n, number in enumerate(numbers):
            person = {"person_number": number, "name": "Nguyễn Văn Tải", "birthdate": "1990-01-01", "gender": "male",
                      "account": dict(account, phone=f"+8497{n:07}")}
            f.write(json.dumps(person) + "\n")
    admin(peer, "account", "import", file)


def percentile(values, percent):
    """The value no more than so many of a hundred lie beyond."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
