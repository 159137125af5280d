#!/usr/bin/env python3
"""One load run against what was promised: ratios to others, what requests and refusals cost, what strangers do.

  report.py DIR [--stores sqlite postgres]
"""
import argparse, json, os, statistics

# workload, who it is held against, at most this part of it, and what would be better still
TARGETS = [
    ("W1 discovery", "bare", 2, 1.3),
    ("W2 jwks", "bare", 2, 1.3),
    ("W3 client_credentials, opaque", "node", 1 / 4, 1 / 8),
    ("W3 client_credentials, JWT ES256", "node", 1 / 5, 1 / 8),
    ("W4 code flow, ES256", "node", 1 / 5, 1 / 10),
    ("W5 refresh, ES256", "node", 1 / 5, 1 / 10),
    ("W6 userinfo", "node", 1 / 5, 1 / 10),
    ("W7 introspection", "node", 1 / 5, 1 / 10),
    ("W8 PAR", "node", 1 / 4, 1 / 8),
    ("W9 private_key_jwt", "node", 1 / 4, 1 / 6),
]
# a request, its workload, and whether what it costs is promised; a flow is several requests
REQUESTS = [
    ("DPoP", "O1 client_credentials with DPoP", True),
    ("private_key_jwt", "W9 private_key_jwt", True),
    ("PAR", "W8 PAR", True),
    ("pushed flow", "O2 code flow, pushed", False),
]
BEYOND_VERIFYING_AT_MOST_US = 60
REFUSAL_AT_MOST_MS = 0.2
# workload, what is told of it, the figure, its target, and the only store it is promised for
STRANGERS = [
    ("S1 hostile passwords", "passwords a second sustained on one core, {connections} connections", lambda m: (m["most_rate"], f"{m['most_rate']:,.0f}"), None, None),
    ("S1 hostile passwords", "of these told to come back (503, Retry-After)", lambda m: (m["most_busy_share"], f"{m['most_busy_share']:.1%}"), None, None),
    ("S1 hostile passwords", "of {offered} a second: told to come back", lambda m: (m["busy_share"], f"{m['busy_share']:.1%}"), None, None),
    ("S1 hostile passwords", "of {offered} a second: evaluated a second", lambda m: (m["evaluated_rate"], f"{m['evaluated_rate']:.1f}"), None, None),
    ("S1 hostile passwords", "time to a 503, p50, ms", lambda m: (m["busy_p50_ms"], f"{m['busy_p50_ms']:.2f}"), 10, None),
    ("S1 hostile passwords", "time to a 503, p99, ms", lambda m: (m["busy_p99_ms"], f"{m['busy_p99_ms']:.2f}"), 10, None),
    ("S1 hostile passwords", "token p99, alone -> under attack, ms", lambda m: beside(m, "token"), 2, None),
    ("S1 hostile passwords", "introspection p99, alone -> under attack, ms", lambda m: beside(m, "introspection"), 2, None),
    ("S2 lock of a hundred grants", "lock of {portals} grants, {accounts} accounts, p50, ms", lambda m: (m["p50_ms"], f"{m['p50_ms']:.1f}"), 50, "postgres"),
    ("S2 lock of a hundred grants", "lock of {portals} grants, {accounts} accounts, p99, ms", lambda m: (m["p99_ms"], f"{m['p99_ms']:.1f}"), 50, "postgres"),
    ("S2 lock of a hundred grants", "the same under {offered} passwords a second, {under} accounts, p50, ms", lambda m: against(m["p50_ms"], m["under_p50_ms"]), None, None),
    ("S2 lock of a hundred grants", "the same, p99, ms", lambda m: against(m["p99_ms"], m["under_p99_ms"]), 2, None),
    ("S3 known and unknown numbers", "wrong password, {tries} known and {tries} unknown numbers: gap of medians, ms", lambda m: (abs(m["gap_ms"]), f"{m['gap_ms']:+.3f}"), 5, None),
    ("S3 known and unknown numbers", "Kolmogorov-Smirnov: distance, and how often chance makes one as large", lambda m: (-m["chance"], f"{m['distance']:.3f}, p = {m['chance']:.3f}"), -0.01, None),
]
STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def load(path):
    if not os.path.exists(path):
        return None
    d = json.load(open(path))
    d["by_id"] = {w["id"]: w for w in d["workloads"]}
    return d


def ratio(x):
    return f"{x:.2f}x" if x >= 1 else f"1/{1 / x:.1f}"


def part(mine, theirs):
    """The median over the turns they took: within one the machine was the same to both."""
    return statistics.median(m["cpu_ms"] / t["cpu_ms"] for m, t in zip(mine["runs"], theirs["runs"], strict=True))


def verdict(value, target, stretch):
    return "missed" if value > target else "stretch" if value <= stretch else "reached"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join([" --- "] + [" ---: "] * (len(head) - 1)) + "|")
    for r in rows:
        print("| " + " | ".join(r) + " |")


def requests(ours, signatures, bad):
    """What a request costs beside the cryptography in it, and how much of that is new; medians over the turns."""
    rows, verdicts = [], []
    for what, workload, promised in REQUESTS:
        for store, o in ours.items():
            m = o and o["by_id"].get(workload)
            if not m:
                continue
            bad.append(m["bad"] if workload.startswith("O") else 0)
            median = lambda of: statistics.median(of(run) for run in m["runs"])
            row = [f"{what}, {STORES[store]}", f"{median(lambda run: run['cpu_ms']):.4f}", f"{median(lambda run: run['verify_us']):.0f}"]
            if promised:
                rest = median(lambda run: run["cpu_ms"] * 1000 - run["verify_us"])
                verdicts.append("missed" if rest > BEYOND_VERIFYING_AT_MOST_US else "reached")
                row += [f"{rest:.0f}", verdicts[-1], f"<= {BEYOND_VERIFYING_AT_MOST_US}"]
            else:
                row += ["", "", ""]
            rows.append(row + [more(m)])
    if rows:
        table(["a request", "CPU, ms", "verifying, µs", "the rest, µs", "", "target", "of it more than without, µs"], rows)
        print(f"\nBefore all this one P-256 signature cost {signatures['sign_us']:.0f} µs, one verification {signatures['verify_us']:.0f} µs.\n")
    return verdicts


def more(m):
    """What it adds to the workload that took turns with it, beside the cryptography."""
    if not m["without"]:
        return "-"
    turns = zip(m["runs"], m["without"]["runs"], strict=True)
    return f"{statistics.median((a['cpu_ms'] - b['cpu_ms']) * 1000 - a['verify_us'] for a, b in turns):.0f}"


def refusals(ours, bad):
    rows, verdicts = [], []
    names = dict.fromkeys(w for o in ours.values() if o for w in o["by_id"] if w.startswith("R"))
    for name in names:
        row = [name]
        for store, o in ours.items():
            m = o and o["by_id"].get(name)
            if not m:
                row += ["-", "not run"]
                continue
            bad.append(m["bad"])
            verdicts.append("missed" if m["cpu_ms"] >= REFUSAL_AT_MOST_MS else "reached")
            row += [f"{m['cpu_ms']:.3f}" + (f" + {m['beside_ms']:.3f}" if store == "postgres" else ""), verdicts[-1]]
        rows.append(row + [f"< {REFUSAL_AT_MOST_MS}"])
    if rows:
        table(["CPU ms a refusal"] + [x for s in ours for x in (STORES[s] + (" + database" if s == "postgres" else ""), "")] + ["target"], rows)
        print()
    return verdicts


def against(alone, under):
    r = under / alone if alone else 0
    return r, f"{alone:.1f} -> {under:.1f} ({r:.1f}x)"


def beside(m, name):
    return against(m[f"{name}_alone_p99_ms"], m[f"{name}_under_p99_ms"])


def target_of(target, figure):
    if target is None:
        return "none"
    return "p > 0.01" if target < 0 else f"<= {target}x" if "->" in figure else f"<= {target}"


def strangers(ours, bad):
    rows, verdicts = [], []
    for name, what, figure, target, only in STRANGERS:
        found = {s: o and o["by_id"].get(name) for s, o in ours.items()}
        some = next((m for m in found.values() if m), None)
        if not some:
            continue
        row, shown = [what.format_map(some)], ""
        for store, m in found.items():
            if not m:
                row += ["-", "not run"]
                continue
            value, shown = figure(m)
            if target is None or only not in (None, store):
                row += [shown, ""]
                continue
            verdicts.append("missed" if value > target else "reached")
            row += [shown, verdicts[-1]]
        rows.append(row + [target_of(target, shown) + (f" on {STORES[only]}" if only else "")])
    for name in dict.fromkeys(row[0] for row in STRANGERS):
        bad += [m["bad"] for m in (o and o["by_id"].get(name) for o in ours.values()) if m]
    if rows:
        table(["strangers, and locks"] + [x for s in ours for x in (STORES[s], "")] + ["target"], rows)
        print()
    return verdicts


def main():
    a = argparse.ArgumentParser()
    a.add_argument("dir")
    a.add_argument("--stores", nargs="+", default=list(STORES))
    a = a.parse_args()
    peers = {n: load(os.path.join(a.dir, f"{n}.json")) for n in ("node", "bare")}
    ours = {s: load(os.path.join(a.dir, f"ours-{s}.json")) for s in a.stores}
    verdicts, rows, bad = [], [], []
    for workload, against, target, stretch in TARGETS:
        theirs = peers[against] and peers[against]["by_id"].get(workload)
        node = peers["node"] and peers["node"]["by_id"].get(workload)
        mine = {s: o and o["by_id"].get(workload) for s, o in ours.items()}
        if not any(mine.values()) and not theirs:
            continue
        row = [workload, f"{node['cpu_ms']:.3f}" if node else "-", f"{theirs['cpu_ms']:.4f}" if theirs and against == "bare" else ""]
        for s, m in mine.items():
            bad.append(m["bad"] if m else 0)
            if not m or not theirs:
                row += ["-", "-", "not run"]
                continue
            r = part(m, theirs)
            v = verdict(r, target, stretch)
            verdicts.append(v)
            row += [f"{m['cpu_ms']:.3f}" + (f" + {m['beside_ms']:.3f}" if s == "postgres" else ""), ratio(r), v]
        rows.append(row + [f"<= {ratio(target)} of {against}", ratio(stretch)])
    head = ["CPU ms an answer", "node-oidc-provider", "bare route"]
    for s in a.stores:
        head += [STORES[s] + (" + database" if s == "postgres" else ""), "ratio", ""]
    print()
    if rows:
        table(head + ["target", "stretch"], rows)
        print()
    with open(os.path.join(a.dir, "signatures.json")) as f:
        verdicts += requests(ours, json.load(f), bad)
    verdicts += refusals(ours, bad)
    verdicts += strangers(ours, bad)
    rows = []
    for name, of, target, stretch in (
            ("start-up to first discovery, ms", lambda d: statistics.median(d["startups"]) * 1000, 65, 30),
            ("memory idle, MiB", lambda d: statistics.median(d["rss_idle"]), 30, 20),
            ("memory after load, MiB (largest)", lambda d: max(w["rss_mib"] for w in d["workloads"]), 75, 40)):
        row = [name, f"{of(peers['node']):.0f}" if peers["node"] else "-"]
        for o in ours.values():
            if not o:
                row += ["-", "not run"]
                continue
            v = verdict(of(o), target, stretch)
            verdicts.append(v)
            row += [f"{of(o):.0f}", v]
        rows.append(row + [f"<= {target}", f"{stretch}"])
    table(["", "node-oidc-provider"] + [x for s in a.stores for x in (STORES[s], "")] + ["target", "stretch"], rows)
    ran = [p for p in list(peers.values()) + list(ours.values()) if p]
    bad = sum(bad)
    print(f"\n{ran[0]['runs']} runs of {ran[0]['seconds']} s (refusals: at most 2 s), {ran[0]['conns']} connections, medians, ratios too; "
          f"bad answers of ours: {bad}. " + "; ".join(f"{p['name']}, after {p['warm']} s of warm-up" for p in ran))
    missed = verdicts.count("missed")
    summary = dict(reached=len(verdicts) - missed, missed=missed, bad=bad)
    json.dump(summary, open(os.path.join(a.dir, "summary.json"), "w"))
    print(f"{len(verdicts) - missed} targets reached ({verdicts.count('stretch')} of them beyond), {missed} missed")


if __name__ == "__main__":
    main()
