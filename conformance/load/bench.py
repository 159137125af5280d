#!/usr/bin/env python3
"""Drive OpenID providers through the same workloads with wrk and keep what each answer costs.

  bench.py PEER.json… --out DIR [--only "W3;W5"] [--runs 3 --seconds 6 --warm 12]

The peers take turns within each workload, run by run, so that a slow minute of the machine hits all of them. Each
gets a freshly started server pinned to one core, 16 keep-alive connections of one wrk thread on the other core, one
discarded warm-up and then the measured runs, of which medians are kept; between its runs it idles. An answer counts
only with the expected status and content. Assertions and DPoP proofs are signed before a run and each is sent once.
What is compared is the CPU of the server's process tree for each good answer (utime + stime); a helper process named
by `extra_pidfile`, such as a database, is kept beside it. A workload `beside` another takes turns with that one on the
same server, so that what it adds to it can be told; `verifies` is how many signatures are verified for it.
"""
import argparse, contextlib, http.client, json, os, re, resource, signal, socket, statistics, subprocess, sys, tempfile, time
import urllib.parse

from hostile import hostile, timing
from lock import lock
from steps import CHALLENGE, VERIFIER, authz_path, authz_request, client_auth, code_flow, login, token_body

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")
# What wrk cannot drive: more than one kind of caller at once, or one step at a time.
OTHERWISE = dict(hostile=hostile, timing=timing, lock=lock)


# ---------------------------------------------------------------- processes
def tree(pid):
    kids = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            with contextlib.suppress(OSError):
                parent = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[1]
                kids.setdefault(int(parent), []).append(int(p))
    out, todo = [], [pid]
    while todo:
        x = todo.pop()
        out.append(x)
        todo += kids.get(x, [])
    return out


def cpu_seconds(pids):
    t = 0
    for p in pids:
        with contextlib.suppress(OSError):
            s = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
            t += int(s[11]) + int(s[12])  # utime + stime of the whole thread group
    return t / TICK


def rss_mib(pids):
    t = 0
    for p in pids:
        with contextlib.suppress(OSError):
            m = re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{p}/status").read())
            t += int(m.group(1)) if m else 0
    return t / 1024


def core_busy(core):
    for line in open("/proc/stat"):
        if line.startswith(f"cpu{core} "):
            v = list(map(int, line.split()[1:9]))
            return (sum(v) - v[3] - v[4]) / TICK


class Peer:
    def __init__(self, path, args):
        self.cfg, self.args, self.proc, self.extra = read(path), args, None, None
        self.warm = min(args.warm, self.cfg.get("warm", args.warm))
        self.dir = os.path.dirname(os.path.abspath(path))
        self.key = os.path.basename(self.dir) + os.path.basename(path).removeprefix("run").removesuffix(".json")
        u = urllib.parse.urlsplit(self.cfg["base_url"])
        self.host, self.port = u.hostname, u.port or 80
        self.result = dict(name=self.cfg["name"], when=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
                           seconds=args.seconds, warm=self.warm, runs=args.runs, conns=args.conns, startups=[],
                           rss_idle=[], workloads=[])

    def start(self):
        s = self.cfg["start"]
        if s.get("before"):
            subprocess.run(s["before"], check=True, stdout=sys.stderr)
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port), 1).close()
            raise SystemExit(f"{self.key}: something else answers at {self.cfg['base_url']}")
        self.log = open(os.path.join(self.args.out, self.key + ".log"), "ab")
        t0 = time.perf_counter()
        self.proc = subprocess.Popen(["taskset", "-c", str(self.args.server_core)] + s["cmd"], cwd=s.get("cwd"),
                                     env=dict(os.environ, **s.get("env", {})), stdout=self.log, stderr=self.log,
                                     start_new_session=True)
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                c = http.client.HTTPConnection(self.host, self.port, timeout=2)
                c.request("GET", self.cfg["discovery"])
                r = c.getresponse()
                b = r.read()
                if r.status == 200:
                    break
            if self.proc.poll() is not None:
                raise SystemExit(f"{self.key} ended with {self.proc.returncode}; see {self.log.name}")
            if time.perf_counter() - t0 > 120:
                raise SystemExit(f"{self.key}: no discovery within 120 s; see {self.log.name}")
            time.sleep(0.002)
        self.result["startups"].append(time.perf_counter() - t0)
        self.discovery = json.loads(b)
        if s.get("extra_pidfile"):
            self.extra = int(open(s["extra_pidfile"]).readline())
        time.sleep(1)
        self.result["rss_idle"].append(rss_mib(self.own()))

    def own(self):
        return tree(self.proc.pid)

    def beside(self):
        return tree(self.extra) if self.extra else []

    def stop(self):
        if self.proc and self.proc.poll() is None:
            for sig in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.proc.pid, sig)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.proc.wait(30)
                    break
        if self.cfg["start"].get("after"):
            subprocess.run(self.cfg["start"]["after"], stdout=sys.stderr)

    def workload(self, name):
        return next((w for w in self.cfg["workloads"] if w["id"] == name), None)

    def keep(self, m):
        self.result["workloads"].append(m)
        print(f"{m['id']:46} {self.key:14} {m['rate']:9,.0f} {m['p50_ms']:8.2f} {m['p99_ms']:8.2f} {m['cpu_ms']:8.4f} "
              f"{m['beside_ms']:8.4f} {m['rss_mib']:5.0f} {m['bad']:4}", flush=True)
        with open(os.path.join(self.args.out, self.key + ".json"), "w") as f:
            json.dump(self.result, f, indent=1)

    def path(self, name):
        u = urllib.parse.urlsplit(self.discovery[name])
        return u.path + ("?" + u.query if u.query else "")


# ---------------------------------------------------------------- measuring
def wrk(peer, env, seconds):
    core, args = peer.args.client_core, peer.args
    cmd = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{args.conns}", f"-d{seconds}s", "--timeout", "10s",
           "-s", os.path.join(HERE, "op.lua"), peer.cfg["base_url"]]

    def state():
        g = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (time.perf_counter(), cpu_seconds(peer.own()), cpu_seconds(peer.beside()), core_busy(args.server_core),
                g.ru_utime + g.ru_stime)
    before = state()
    r = subprocess.run(cmd, env=dict(os.environ, **{k: str(v) for k, v in env.items()}), capture_output=True, text=True)
    wall, cpu, beside, busy, generator = (b - a for a, b in zip(before, state()))
    m = re.search(r"BENCHJSON (.*)", r.stdout)
    if not m:
        raise SystemExit("wrk gave no result:\n" + r.stdout + r.stderr)
    d = json.loads(m.group(1))
    first_bad = re.search(r"FIRSTBAD (.*)", r.stdout)
    d.update(wall=wall, server_cpu=cpu, beside_cpu=beside, server_share=cpu / wall, server_core_busy=busy / wall,
             generator_share=generator / wall, first_bad=first_bad.group(1) if first_bad else None)
    return d


def proofs(*arguments):
    """One line for each thing signed, by the program built beside the provider."""
    return subprocess.run([os.path.join(os.environ["BIN_DIR"], "proofs"), *map(str, arguments)], check=True,
                          stdout=subprocess.PIPE).stdout


def signed(peer, kind, c, count):
    if kind == "assertion":
        key = os.path.join(os.environ["LOAD_DIR"], "client.pem")
        return proofs("assertions", key, c["id"], peer.cfg["base_url"], count)
    return proofs("dpop", peer.discovery["token_endpoint"], count)


def speed(peer):
    """What one verification costs on the server's core just now, µs."""
    cmd = ["taskset", "-c", str(peer.args.server_core), os.path.join(os.environ["BIN_DIR"], "proofs"), "speed"]
    return json.loads(subprocess.run(cmd, check=True, stdout=subprocess.PIPE).stdout)["verify_us"]


def refused(peer, w, env):
    """One request, the same each time, that is answered by an error."""
    headers, body = dict(w.get("headers", {})), w.get("body")
    if env["BW_AUTH"]:
        headers["Authorization"] = env["BW_AUTH"]
    if w.get("spoilt") == "dpop":
        proof = signed(peer, "dpop", None, 1).decode().strip()
        headers["DPoP"] = proof[:-8] + ("A" * 8)
    if w.get("query"):
        env["BW_PATH"] += "?" + w["query"].ljust(w.get("fill", 0), "x")
    if body is not None:
        body += "".join(f"&p{n}={n}" for n in range(w.get("parameters", 0)))
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        env["BW_BODY"] = body.ljust(w.get("fill", 0), "x")
    env.update(BW_METHOD="GET" if body is None else "POST", BW_HEADERS="\n".join(f"{k}: {v}" for k, v in headers.items()))


def measure_otherwise(peer, w, tmp):
    state = lambda: (cpu_seconds(peer.own()), cpu_seconds(peer.beside()))
    before = state()
    m = OTHERWISE[w["kind"]](peer, w, tmp)
    cpu, beside = (b - a for a, b in zip(before, state()))
    # Its preparation is in these two, so they are nobody's cost of one answer.
    m.update(cpu_seconds=cpu, beside_seconds=beside, cpu_ms=0, beside_ms=0, rss_mib=rss_mib(peer.own()),
             beside_rss_mib=rss_mib(peer.beside()))
    return m


def measure(peer, w, tmp):
    """The warm-up, then run by run; others have their turn after each. What it returns is the result."""
    cfg, args, kind = peer.cfg, peer.args, w["kind"]
    c = cfg["clients"].get(w.get("client", ""), {})
    env = dict(BW_KIND=kind, BW_AUTH=client_auth(c) if "secret" in c and kind != "bearer" else "", BW_EXPECT=w.get("expect", 200),
               BW_MATCH=w.get("match", ""),
               BW_PATH=cfg["discovery"] if w.get("endpoint") == "discovery" else peer.path(w.get("endpoint", "token_endpoint")))
    tokens = os.path.join(tmp, "tokens")
    cookies = [login(peer, c) for _ in range(args.sessions)] if kind in ("code", "refresh", "bearer", "introspect") else []

    def sign_in(count, name, run=""):
        made = (code_flow(peer, c, cookies[i % len(cookies)], f"{run}{i}") for i in range(count))
        open(tokens, "w").write("\n".join(t[name] for t in made) + "\n")
        env["BW_FILE"] = tokens
    seconds, warm = args.seconds, peer.warm
    if kind == "refused":
        # Nothing is kept of a refusal that more of them would change.
        seconds, warm = min(seconds, 2), min(warm, 1)
        refused(peer, w, env)
    elif kind in ("post", "assertion", "dpop"):
        env["BW_BODY"] = w["body"]
    elif kind == "par":
        env.update(BW_KIND="post", BW_PATH=peer.path("pushed_authorization_request_endpoint"), BW_BODY=authz_request(c) + "&state=s&nonce=n")
    elif kind == "code":
        if w.get("pushed"):
            env.update(BW_PAR_PATH=peer.path("pushed_authorization_request_endpoint"), BW_BODY=authz_request(c),
                       BW_CLIENT=urllib.parse.quote(c["id"]))
        env.update(BW_COOKIES=os.path.join(tmp, "cookies"), BW_AUTHZ=authz_path(peer, c), BW_TOKEN_BODY=token_body(c),
                   BW_TOKEN_PATH=peer.path("token_endpoint"))
        open(env["BW_COOKIES"], "w").write("\n".join(cookies) + "\n")
    elif kind in ("bearer", "introspect"):
        sign_in(64, "access_token")
    elif kind == "refresh":
        env["BW_BODY"] = "grant_type=refresh_token"
    runs = []
    for i in range(args.runs + 1):
        if kind == "refresh":
            # The last run's newest tokens ended with its generator; wrk spends some on checking its script.
            sign_in(args.conns + 4, "refresh_token", f"{i}x")
        elif kind in ("assertion", "dpop"):
            # More than can be sent: twice what the run before reached, which a noisy machine may have slowed; before it, what no provider reaches.
            count = warm * 12_000 if not i else seconds * (2 * reached + 500)
            open(tokens, "wb").write(signed(peer, kind, c, int(count)))
            env["BW_FILE"] = tokens
        verify = w["verifies"] * speed(peer) if w.get("verifies") else 0
        d = wrk(peer, env, seconds if i else warm)
        if kind == "get":
            d["ok"], d["bad"] = d["requests"] - d["status_errors"], d["status_errors"]
        reached = d["ok"] / (d["duration_us"] / 1e6)
        if d["bad"] > 0.001 * max(1, d["ok"]):
            print(f"  !! {peer.key} {w['id']}: {d['bad']} bad of {d['ok'] + d['bad']}: {d['first_bad']}", file=sys.stderr)
        if i and not d["ok"]:
            raise SystemExit(f"{peer.key} {w['id']}: no good answer at all: {d['first_bad']}")
        if i:
            d["rate"], d["verify_us"] = reached, verify
            d["cpu_ms"], d["beside_ms"] = (d[k] / d["ok"] * 1000 for k in ("server_cpu", "beside_cpu"))
            runs.append(d)
        yield
    med = lambda k: statistics.median(r[k] for r in runs)
    return dict(id=w["id"], rate=med("rate"), rate_min=min(r["rate"] for r in runs), rate_max=max(r["rate"] for r in runs),
                p50_ms=med("p50_us") / 1000, p99_ms=med("p99_us") / 1000, cpu_ms=med("cpu_ms"), beside_ms=med("beside_ms"),
                rss_mib=rss_mib(peer.own()), beside_rss_mib=rss_mib(peer.beside()), server_share=med("server_share"),
                server_core_busy=med("server_core_busy"), generator_share=med("generator_share"),
                bad=sum(r["bad"] for r in runs), dry=sum(r["dry"] for r in runs), runs=runs)


def in_turn(group):
    """What each of a group measures, its server up as long as the others'."""
    with contextlib.ExitStack() as down:
        results, waiting = {}, []

        def begin(peer, w, place):
            tmp = down.enter_context(tempfile.TemporaryDirectory())
            if w["kind"] in OTHERWISE:
                results[place] = measure_otherwise(peer, w, tmp)
            else:
                waiting.append((place, measure(peer, w, tmp)))
        for peer, w in group:
            down.callback(peer.stop)
            peer.start()
            begin(peer, w, (peer, ""))
            if other := peer.workload(w.get("beside")):
                begin(peer, other, (peer, "without"))
        while waiting:
            for place, steps in list(waiting):
                try:
                    next(steps)
                except StopIteration as end:
                    results[place] = end.value
                    waiting.remove((place, steps))
        return [(peer, dict(m, without=results.get((peer, "without")))) for (peer, part), m in results.items() if not part]


def read(path):
    """A peer's configuration, over the one it includes from its own directory."""
    cfg = subst(json.load(open(path)))
    shared = cfg.pop("include", None)
    return {**read(os.path.join(os.path.dirname(path), shared)), **cfg} if shared else cfg


def subst(o):
    known = dict(os.environ, VERIFIER=VERIFIER, CHALLENGE=CHALLENGE)
    if isinstance(o, str):
        return re.sub(r"\$\{(\w+)\}", lambda m: known[m[1]], o)
    if isinstance(o, list):
        return [subst(x) for x in o]
    return {k: subst(v) for k, v in o.items()} if isinstance(o, dict) else o


def main():
    a = argparse.ArgumentParser()
    a.add_argument("peers", nargs="+")
    a.add_argument("--out", required=True)
    a.add_argument("--only", default="", help="semicolon-separated beginnings of workload ids")
    for name, value in ("runs", 3), ("seconds", 6), ("warm", 12), ("conns", 16), ("sessions", 16), ("server-core", 0), ("client-core", 1):
        a.add_argument(f"--{name}", type=int, default=value)
    a = a.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the peer is stopped too
    os.sched_setaffinity(0, {a.client_core})  # the driver itself stays off the server's core
    os.makedirs(a.out, exist_ok=True)
    peers = [Peer(p, a) for p in a.peers]
    ids = list(dict.fromkeys(w["id"] for p in peers for w in p.cfg["workloads"]))
    print(f"{'workload':46} {'peer':14} {'rate/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'beside':>8} {'MiB':>5} {'bad':>4}")
    for workload in ids:
        if a.only and not any(workload.startswith(x) for x in a.only.split(";")):
            continue
        playing = [(peer, w) for peer in peers if (w := peer.workload(workload))]
        alone = any(w["kind"] in OTHERWISE for _, w in playing)
        for group in [[one] for one in playing] if alone else [playing]:
            for peer, m in in_turn(group):
                peer.keep(m)


if __name__ == "__main__":
    main()
