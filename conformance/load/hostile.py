"""Strangers at the sign-in page: a flood of passwords and what it does to everybody else, and whether the time an answer
takes tells who has an account."""
import bisect, json, math, os, random, statistics, subprocess, time, urllib.parse

from steps import Line, authz_path, client_auth, code_flow, http_once, login, people, percentile, plugin, whole

# As wide as a person number, and nobody's.
ANYBODY = "NUMBER-----X"
WRONG = "đoán mò một lần thôi"
FIRST = 99_070_000_000


def strangers(peer, c, count):
    """Sign-in forms of as many strangers, whole, with `ANYBODY` for the number."""
    made = []
    for _ in range(count):
        to, form, cookies = plugin(peer).sign_in_page(peer.cfg["base_url"], authz_path(peer, c) + "&state=h&nonce=h", http_once)
        made.append(filled(peer, to, form, cookies))
    return made


def filled(peer, to, form, cookies):
    pages, at = plugin(peer), urllib.parse.urlsplit(to)
    body = urllib.parse.urlencode(pages.filled(form, "sign-in", ANYBODY, WRONG))
    headers = {"Accept": "text/html", "Origin": peer.cfg["base_url"], "Cookie": pages.cookie_line(cookies)}
    return whole(peer, "POST", at.path + ("?" + at.query if at.query else ""), headers, body)


def flood_stream(requests, first, **how):
    return dict(name="hostile", requests=requests, vary=ANYBODY, first=FIRST + first, answers=[
        dict(name="busy", status=503, has=["\r\nretry-after: ", "data-page=\"busy\""]),
        dict(name="evaluated", status=200, has=["data-page=\"sign-in\""])], **how)


def flooding(peer, seconds, streams):
    """The generator at work on its own core."""
    spec = dict(address=f"127.0.0.1:{peer.port}", seconds=seconds, streams=streams)
    p = subprocess.Popen([os.path.join(os.environ["BIN_DIR"], "flood")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    p.stdin.write(json.dumps(spec))
    p.stdin.close()
    return p


def told(p):
    text = p.stdout.read()
    if p.wait():
        raise SystemExit("the flood ended early")
    return json.loads(text)


def bad_of(streams):
    """Answers nobody should have got, and the first of them."""
    bad = sum(a["count"] for s in streams.values() for kind, a in s["answers"].items() if kind in ("other", "lost"))
    return bad, next((s["first_bad"] for s in streams.values() if s["first_bad"]), None)


def well_meant(peer, w):
    """Programs that go on working meanwhile: tokens asked for and tokens looked at, at a steady rate."""
    rp, service = peer.cfg["clients"][w["client"]], peer.cfg["clients"][w["service"]]
    cookie = login(peer, rp)
    tokens = [code_flow(peer, rp, cookie, n)["access_token"] for n in range(16)]
    ask = lambda endpoint, c, body: whole(peer, "POST", peer.path(endpoint), {"Authorization": client_auth(c), "Accept": "*/*"}, body)
    how = dict(rate=w["good_rate"], connections=64)
    return [
        dict(name="token", requests=[ask("token_endpoint", service, "grant_type=client_credentials&scope=api")],
             answers=[dict(name="good", status=200, has=["\"access_token\""])], **how),
        dict(name="introspection", requests=[ask("introspection_endpoint", rp, "token=" + urllib.parse.quote(t)) for t in tokens],
             answers=[dict(name="good", status=200, has=["\"active\":true"])], **how)]


def hostile(peer, w, tmp):
    args = peer.args
    good = well_meant(peer, w)
    forms = strangers(peer, peer.cfg["clients"][w["client"]], 16)
    told(flooding(peer, max(1, peer.warm), good + [flood_stream(forms, 0, rate=100, connections=w["connections"])]))
    runs, bad, first_bad = [], 0, None
    for n in range(args.runs):
        time.sleep(2)  # what waits in the pool is over
        alone = told(flooding(peer, args.seconds, good))
        number = (n + 1) * 1_000_000
        attack = flood_stream(forms, number, rate=w["rate"], connections=w["connections"])
        under = told(flooding(peer, args.seconds, good + [attack]))
        most = told(flooding(peer, args.seconds, [flood_stream(forms, number + 500_000, connections=w["connections"])]))
        for streams in (alone, under, most):
            more, example = bad_of(streams)
            bad, first_bad = bad + more, first_bad or example
        runs.append(outcome(alone, under, most))
    if bad:
        print(f"  !! {peer.key} {w['id']}: {bad} bad answers: {first_bad}")
    middle = {k: statistics.median(r[k] for r in runs) for k in runs[0]}
    return dict(middle, id=w["id"], rate=middle["most_rate"], rate_min=min(r["most_rate"] for r in runs),
                rate_max=max(r["most_rate"] for r in runs), p50_ms=middle["busy_p50_ms"], p99_ms=middle["busy_p99_ms"], bad=bad,
                offered=w["rate"], good_rate=w["good_rate"], connections=w["connections"], dry=0, runs=runs)


def outcome(alone, under, most):
    answers = lambda streams, kind: streams["hostile"]["answers"].get(kind, dict(count=0, in_time=0))
    count = lambda streams, kind: answers(streams, kind)["count"]
    rate = lambda streams, *kinds: sum(answers(streams, kind)["in_time"] for kind in kinds) / streams["hostile"]["seconds"]
    busy = under["hostile"]["answers"].get("busy", dict(p50_ms=0, p99_ms=0))
    d = dict(busy_p50_ms=busy["p50_ms"], busy_p99_ms=busy["p99_ms"],
             busy_share=count(under, "busy") / under["hostile"]["sent"],
             evaluated_rate=rate(under, "evaluated"), answered_rate=rate(under, "busy", "evaluated"),
             most_rate=rate(most, "busy", "evaluated"),
             most_busy_share=count(most, "busy") / most["hostile"]["sent"])
    for name in ("token", "introspection"):
        for when, streams in (("alone", alone), ("under", under)):
            d[f"{name}_{when}_p99_ms"] = streams[name]["answers"].get("good", dict(p99_ms=0))["p99_ms"]
    return d


# ---------------------------------------------------------------- LG-01
def timing(peer, w, tmp):
    """A wrong password for numbers that have an account and for numbers nobody has, in random order, one at a time."""
    tries = max(100, int(w["tries"] * min(1, peer.args.seconds / 6)))
    known = [f"09908{n:07}" for n in range(tries)]
    people(peer, tmp, known, "VNeID#2026")
    queue = [(number, True) for number in known] + [(f"09907{n:07}", False) for n in range(tries)]
    random.Random(tries).shuffle(queue)
    to, form, cookies = plugin(peer).sign_in_page(
        peer.cfg["base_url"], authz_path(peer, peer.cfg["clients"][w["client"]]) + "&state=t&nonce=t", http_once)
    line, pages, at = Line(peer), plugin(peer), urllib.parse.urlsplit(to)
    headers = {"Accept": "text/html", "Origin": peer.cfg["base_url"], "Cookie": pages.cookie_line(cookies),
               "Content-Type": "application/x-www-form-urlencoded"}
    took, bad = {True: [], False: []}, 0
    for n, (number, has_account) in enumerate([(f"09906{n:07}", None) for n in range(20)] + queue):
        body = urllib.parse.urlencode(pages.filled(form, "sign-in", number, WRONG))
        begun = time.perf_counter()
        status, _, text = line.ask("POST", at.path + "?" + at.query, headers, body)
        spent = (time.perf_counter() - begun) * 1000
        if status != 200 or 'data-page="sign-in"' not in text:
            bad += 1
        elif has_account is not None:
            took[has_account].append(spent)
    distance, chance = kolmogorov_smirnov(took[True], took[False])
    gap = statistics.median(took[True]) - statistics.median(took[False])
    every = took[True] + took[False]
    rate = 1000 / statistics.mean(every)
    return dict(id=w["id"], rate=rate, rate_min=rate, rate_max=rate, p50_ms=percentile(every, 50), p99_ms=percentile(every, 99),
                tries=tries, gap_ms=gap, distance=distance, chance=chance, bad=bad, dry=0,
                runs=[dict(known_ms=took[True], unknown_ms=took[False])])


def kolmogorov_smirnov(a, b):
    """The largest distance between the two distributions, and how often chance alone makes one as large."""
    a, b = sorted(a), sorted(b)
    below = lambda values, x: bisect.bisect_right(values, x) / len(values)
    distance = max(abs(below(a, x) - below(b, x)) for x in a + b)
    root = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    reach = (root + 0.12 + 0.11 / root) * distance
    if reach < 0.2:
        return distance, 1.0  # the series below does not come to an end there
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * reach) ** 2) for k in range(1, 101))
    return distance, min(1.0, max(0.0, sum(terms)))
