#!/usr/bin/env python3
"""The ratios of one load run against what was promised.   report.py DIR [--stores sqlite postgres]"""
import argparse, json, os, statistics

# workload, who it is held against, at most this part of it, and what would be better still
TARGETS = [
    ("W1 discovery", "bare", 2, 1.3),
    ("W2 jwks", "bare", 2, 1.3),
    ("W3 client_credentials, opaque", "node", 1 / 4, 1 / 8),
    ("W4 code flow, ES256", "node", 1 / 5, 1 / 10),
    ("W5 refresh, ES256", "node", 1 / 5, 1 / 10),
    ("W6 userinfo", "node", 1 / 5, 1 / 10),
    ("W7 introspection", "node", 1 / 5, 1 / 10),
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


def verdict(value, target, stretch):
    return "missed" if value > target else "stretch" if value <= stretch else "reached"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join([" --- "] + [" ---: "] * (len(head) - 1)) + "|")
    for r in rows:
        print("| " + " | ".join(r) + " |")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("dir")
    a.add_argument("--stores", nargs="+", default=list(STORES))
    a = a.parse_args()
    peers = {n: load(os.path.join(a.dir, f"{n}.json")) for n in ("node", "bare")}
    ours = {s: load(os.path.join(a.dir, f"ours-{s}.json")) for s in a.stores}
    verdicts, rows, bad = [], [], 0
    for workload, against, target, stretch in TARGETS:
        theirs = peers[against] and peers[against]["by_id"].get(workload)
        node = peers["node"] and peers["node"]["by_id"].get(workload)
        mine = {s: o and o["by_id"].get(workload) for s, o in ours.items()}
        if not any(mine.values()) and not theirs:
            continue
        row = [workload, f"{node['cpu_ms']:.3f}" if node else "-", f"{theirs['cpu_ms']:.4f}" if theirs and against == "bare" else ""]
        for s, m in mine.items():
            bad += m["bad"] if m else 0
            if not m or not theirs:
                row += ["-", "-", "not run"]
                continue
            r = m["cpu_ms"] / theirs["cpu_ms"]
            v = verdict(r, target, stretch)
            verdicts.append(v)
            row += [f"{m['cpu_ms']:.3f}" + (f" + {m['beside_ms']:.3f}" if s == "postgres" else ""), ratio(r), v]
        rows.append(row + [f"<= {ratio(target)} of {against}", ratio(stretch)])
    head = ["CPU ms an answer", "node-oidc-provider", "bare route"]
    for s in a.stores:
        head += [STORES[s] + (" + database" if s == "postgres" else ""), "ratio", ""]
    print()
    table(head + ["target", "stretch"], rows)
    print()
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
    any_peer = next(p for p in list(peers.values()) + list(ours.values()) if p)
    print(f"\n{any_peer['runs']} runs of {any_peer['seconds']} s after {any_peer['warm']} s of warm-up, {any_peer['conns']} connections, "
          f"medians; bad answers of ours: {bad}. " + "; ".join(p["name"] for p in list(peers.values()) + list(ours.values()) if p))
    missed = verdicts.count("missed")
    summary = dict(reached=len(verdicts) - missed, missed=missed, bad=bad)
    json.dump(summary, open(os.path.join(a.dir, "summary.json"), "w"))
    print(f"{len(verdicts) - missed} targets reached ({verdicts.count('stretch')} of them beyond), {missed} missed")


if __name__ == "__main__":
    main()
