"""«Khóa ngay» of somebody with a hundred live grants, pressed on the provider's own page; the portals are told meanwhile,
and nobody presses until the press before is told. Quiet first, then while strangers flood the sign-in page."""
import http.server, json, multiprocessing, os, re, statistics, threading, time, urllib.parse

from hostile import bad_of, flood_stream, flooding, strangers, told
from steps import CHALLENGE, FORM, VERIFIER, Line, admin, authz_path, login, people, percentile, plugin

PASSWORD = "VNeID#2026"
SCOPE = "openid offline_access"
# Portals are told within this or it counts as a fault.
TOLD_WITHIN = 30


def lock(peer, w, tmp):
    heard, full = Ears(), peer.args.seconds >= 6
    under_attack, seconds = (w["under"], w["seconds"]) if full else (10, 8)
    try:
        portals = [portal(n, heard.port) for n in range(w["portals"])]
        for client in portals:
            file = os.path.join(tmp, "portal.json")
            json.dump(client, open(file, "w"))
            admin(peer, "client", "put", file)
        numbers = [f"09908{n:07}" for n in range(w["accounts"] + under_attack)]
        people(peer, tmp, numbers, PASSWORD)
        line = Line(peer)
        holders = [Holder(peer, line, number, portals) for number in numbers]
        quiet, bad = [], 0
        for holder in holders[:w["accounts"]]:
            bad += holder.lock(quiet, heard)
        # A flood that ends by itself, and as many locks as there is time for.
        forms = strangers(peer, peer.cfg["clients"][w["client"]], 16)
        flood = flooding(peer, seconds, [flood_stream(forms, 9_000_000, rate=w["rate"], connections=w["connections"])])
        time.sleep(2)
        under = []
        for holder in holders[w["accounts"]:]:
            if flood.poll() is None:
                bad += holder.lock(under, heard)
        streams = told(flood)
        bad += bad_of(streams)[0]
    finally:
        heard.close()
    if not under:
        raise SystemExit("the flood was over before anybody pressed")
    figures = dict(p50_ms=percentile(quiet, 50), p99_ms=percentile(quiet, 99), max_ms=max(quiet), accounts=len(quiet),
                   under_p50_ms=percentile(under, 50), under_p99_ms=percentile(under, 99), under=len(under))
    rate = 1000 / statistics.mean(quiet)
    return dict(figures, id=w["id"], rate=rate, rate_min=rate, rate_max=rate, bad=bad, dry=0, portals=w["portals"],
                offered=w["rate"], runs=[dict(quiet_ms=quiet, under_ms=under, flood=streams)])


def portal(n, port):
    return {"client_id": f"portal-{n}", "client_name": f"Load portal {n}", "redirect_uris": ["http://127.0.0.1:9/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none", "scope": SCOPE,
            "vn_legal_basis": "law",  # no consent is asked for, which is five thousand pages less
            "backchannel_logout_uri": f"http://localhost:{port}/{n}"}


class Holder:
    """Signed in, with one grant at each portal and its tokens."""

    def __init__(self, peer, line, number, portals):
        self.peer, self.line, self.portals = peer, line, portals
        clients = [dict(id=p["client_id"], redirect_uri=p["redirect_uris"][0], scope=SCOPE) for p in portals]
        self.cookies = login(peer, clients[0], number=number, password=PASSWORD)
        self.tokens = [self.grant(c) for c in clients]

    def grant(self, c):
        status, headers, text = self.line.ask("GET", authz_path(self.peer, c) + "&state=g&nonce=g",
                                              {"Cookie": self.cookies, "Accept": "text/html"})
        code = re.search(r"[?&]code=([^&#]+)", headers.get("Location") or "")
        if not code:
            raise SystemExit(f"no code: {status} {headers.get('Location')} {text[:300]}")
        body = urllib.parse.urlencode(dict(grant_type="authorization_code", client_id=c["id"], redirect_uri=c["redirect_uri"],
                                           code_verifier=VERIFIER, code=urllib.parse.unquote(code[1])))
        status, _, text = self.line.ask("POST", self.peer.path("token_endpoint"), {"Content-Type": FORM}, body)
        if status != 200:
            raise SystemExit(f"token: {status} {text[:300]}")
        return json.loads(text)["access_token"], json.loads(text)["refresh_token"]

    def lock(self, took, heard):
        """Presses; how much of what a lock promises did not hold."""
        pages, base = plugin(self.peer), self.peer.cfg["base_url"]
        status, _, text = self.line.ask("GET", "/lock", {"Cookie": self.cookies, "Accept": "text/html"})
        page = pages.Page(text)
        form = next((f for f in page.forms if "confirm" in f["buttons"]), None)
        if status != 200 or page.name != "lock" or not form:
            raise SystemExit(f"no page that locks: {status}, page {page.name}")
        pressed = [(name, value) for _, name, value in form["fields"]] + [f for f in [form["buttons"]["confirm"]] if f[0]]
        headers = {"Cookie": self.cookies, "Accept": "text/html", "Origin": base, "Content-Type": FORM}
        action, before = urllib.parse.urljoin("/lock", form["action"]), heard.count()
        begun = time.perf_counter()
        status, answer, _ = self.line.ask("POST", action, headers, urllib.parse.urlencode(pressed))
        took.append((time.perf_counter() - begun) * 1000)
        bad = int(status != 303 or not (answer.get("Location") or "").endswith("/lock-done"))
        return bad + self.still_good() + heard.missing(before + len(self.portals))

    def still_good(self):
        """Of some of the tokens: those that still do something."""
        good = 0
        for (access, refresh), client in list(zip(self.tokens, self.portals))[::25]:
            body = urllib.parse.urlencode(dict(grant_type="refresh_token", client_id=client["client_id"], refresh_token=refresh))
            good += self.line.ask("POST", self.peer.path("token_endpoint"), {"Content-Type": FORM}, body)[0] != 400
            good += self.line.ask("GET", self.peer.path("userinfo_endpoint"), {"Authorization": "Bearer " + access})[0] != 401
        return good


class Ears:
    """Every portal's back channel, in a process of its own: whoever times a press must not answer meanwhile."""

    def __init__(self):
        here, there = multiprocessing.Pipe()
        self.heard = multiprocessing.Value("i", 0)
        self.process = multiprocessing.Process(target=listen, args=(there, self.heard), daemon=True)
        self.process.start()
        self.port = here.recv()

    def count(self):
        return self.heard.value

    def missing(self, wanted):
        """How many did not come in time."""
        end = time.monotonic() + TOLD_WITHIN
        while self.count() < wanted and time.monotonic() < end:
            time.sleep(0.02)
        return max(0, wanted - self.count())

    def close(self):
        self.process.terminate()
        self.process.join()


def listen(pipe, heard):
    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with heard.get_lock():
                heard.value += 1
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    pipe.send(server.server_address[1])
    threading.Thread(target=server.serve_forever).run()
