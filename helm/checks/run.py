"""Renders the chart in its variations, holds every rule against them, and lints the Containerfile."""
import argparse, copy, json, os, re, subprocess, sys, tempfile
import jsonschema, kubernetes_validate, yaml
import rules

HERE = os.path.dirname(os.path.abspath(__file__))
CHART = os.path.dirname(HERE)
ROOT = os.path.dirname(CHART)
EMBEDDED = ["-f", os.path.join(CHART, "values-embedded.yaml")]
OLDEST = "1.30"  # Chart.yaml's kubeVersion

TOML = 'config.toml=[telemetry]\nlog = "debug"'
TLS = ["--set", "tls.existingSecret=idp-tls"]
MTLS = TLS + ["--set", "mtls.enabled=true,mtls.issuerAlias=https://mtls.dang-nhap.example.vn,mtls.clientCa.existingSecret=client-ca"]
VARIATIONS = {
    "default": ([], [rules.speaks_plain_http, rules.on_servers, rules.migration_is_a_hook, rules.no_secret_of_its_own]),
    "embedded": (EMBEDDED, [rules.speaks_plain_http, rules.one_pod_with_everything]),
    "ingress on": (["--set", "ingress.enabled=true,ingress.className=nginx,ingress.console.enabled=true,trustedProxies={10.0.0.0/8,fd00::/8}"],
                   [rules.on_servers, rules.reached_by_its_issuer]),
    "autoscaling on": (["--set", "autoscaling.enabled=true"], [rules.scaled, rules.migration_is_a_hook]),
    "console off": (["--set", "console.enabled=false"], [rules.alone]),
    "configuration in values": (["--set", "config.existingSecret=", "--set", TOML],
                                [rules.on_servers, rules.migration_is_a_hook]),
    "long names, digest, mounted authority": (
        ["--set", "fullnameOverride=" + "n" * 40, "--set", "image.digest=sha256:" + "0" * 64,
         "--set", "secretFiles[0].secret=pg-ca,secretFiles[0].mountPath=/etc/pg-ca",
         "--set", "settings.IDP_TELEMETRY__FORMAT=text,settings.IDP_SMS__TOKEN_FILE=/etc/pg-ca/token", "--set-json", 'networkPolicy.egress=[{"ports":[{"port":5432}]}]'], []),
    "embedded, console off, keys from a Secret": (
        EMBEDDED + ["--set", "console.enabled=false,keys.existingSecret=idp-keys"], [rules.alone]),
    "embedded, ingress on": (EMBEDDED + ["--set", "ingress.enabled=true,ingress.console.enabled=true,trustedProxies={10.0.0.1}"],
                             [rules.one_pod_with_everything, rules.reached_by_its_issuer]),
    "TLS in the pods, ingress on": (TLS + ["--set", "ingress.enabled=true,trustedProxies={10.0.0.0/8},service.port=443"],
                                    [rules.on_servers, rules.speaks_tls, rules.no_secret_of_its_own, rules.migration_is_a_hook]),
    "client certificates": (MTLS, [rules.on_servers, rules.speaks_tls, rules.asks_for_certificates, rules.no_secret_of_its_own,
                                   rules.migration_is_a_hook]),
    "client certificates by their keys alone": (
        TLS + ["--set", "mtls.enabled=true,mtls.issuerAlias=https://dang-nhap.example.vn:8443,console.enabled=false"], [rules.speaks_tls, rules.alone]),
    "client certificates from a proxy": (
        ["--set", "mtls.issuerAlias=https://mtls.dang-nhap.example.vn,mtls.trustedProxies={10.1.0.0/16,fd01::/16}",
         "--set", "mtls.certificateHeader=ssl-client-cert,mtls.clientCa.existingSecret=client-ca"], [rules.on_servers, rules.takes_a_proxys_word]),
    "embedded, client certificates": (EMBEDDED + MTLS, [rules.one_pod_with_everything, rules.speaks_tls, rules.asks_for_certificates]),
}

# What an operator may write by mistake; no rendering may come of it.
REFUSED = {
    "an upper-case issuer": ["--set", "issuer=https://Login.example.vn"],
    "an issuer with a path": ["--set", "issuer=https://login.example.vn/idp"],
    "an http issuer": ["--set", "issuer=http://login.example.vn"],
    "root": ["--set", "podSecurity.runAsUser=0"],
    "an unpinned image": ["--set", "image.tag=latest"],
    "a database URL in the environment": ["--set", "settings.IDP_DATABASE__URL=postgres://u:p@db/idp"],
    "a password in the environment": ["--set", "settings.IDP_X=redis://u:p@cache/0"],
    "an Ingress nobody trusts": ["--set", "ingress.enabled=true"],
    "a misspelt value": ["--set", "provder.replicas=3"],
    "replicas as text": ["--set-string", "provider.replicas=2"],
    "no configuration": ["--set", "config.existingSecret="],
    "two configurations": ["--set", TOML],
    "servers without common keys": ["--set", "keys.existingSecret="],
    "embedded in two pods": EMBEDDED + ["--set", "provider.replicas=2"],
    "embedded and scaled": EMBEDDED + ["--set", "autoscaling.enabled=true"],
    "a grace shorter than the shutdown": ["--set", "shutdown.graceSeconds=30"],
    "client certificates without TLS": ["--set", "mtls.enabled=true,mtls.issuerAlias=https://mtls.example.vn"],
    "client certificates nobody finds": TLS + ["--set", "mtls.enabled=true"],
    "a proxy for certificates nobody finds": ["--set", "mtls.trustedProxies={10.0.0.1}"],
    "a host for certificates nobody asks for": TLS + ["--set", "mtls.issuerAlias=https://mtls.example.vn"],
    "an authority for certificates nobody asks for": ["--set", "mtls.clientCa.existingSecret=client-ca"],
    "an alias with a path": MTLS + ["--set", "mtls.issuerAlias=https://mtls.example.vn/"],
    "an alias without TLS": MTLS + ["--set", "mtls.issuerAlias=http://mtls.example.vn"],
    "one port for two listeners": MTLS + ["--set", "mtls.port=8080"],
    "a header that is none": MTLS + ["--set", "mtls.certificateHeader=a b"],
    "a Kubernetes too old": ["--kube-version", "1.29"],
}

passed, failed = 0, 0


def report(name, wrong):
    global passed, failed
    wrong = list(wrong)
    passed, failed = (passed, failed + 1) if wrong else (passed + 1, failed)
    print(("FAILED  " if wrong else "passed  ") + name, flush=True)
    for w in wrong:
        print("          " + str(w).strip().replace("\n", "\n          "))


def held(rule, docs):
    try:
        return list(rule(docs))
    except (KeyError, TypeError, StopIteration, IndexError) as e:
        return [f"{type(e).__name__}: {e}"]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def render(helm, arguments):
    r = run(helm, "template", "idp", CHART, *arguments)
    return r, [d for d in yaml.safe_load_all(r.stdout) if d] if r.returncode == 0 else []


def against_schemas(docs, version):
    for d in docs:
        try:
            kubernetes_validate.validate(d, version, strict=True)
        except Exception as e:  # each kind of refusal has its own class
            yield f"{d['kind']} {d['metadata']['name']}: {str(e)[:400]}"


def accepted_by(program, docs):
    """The provider itself reads the environment and the file the chart gives it."""
    with tempfile.TemporaryDirectory() as d:
        for name, pod, c in rules.containers(docs):
            secret = rules.named(docs, "Secret", pod["volumes"][0]["secret"]["secretName"])
            text = secret["stringData"]["idp.toml"] if secret else '[database]\nurl = "postgres://idp@db/idp"\n'
            path = os.path.join(d, "idp.toml")
            with open(path, "w") as f:
                f.write(text)
            r = subprocess.run([program, "--config", path, "check-config"], capture_output=True, text=True, cwd=d,
                               env=rules.environment(c))
            if r.returncode:
                yield f"{name}: {r.stdout}{r.stderr}"


def rendered(helm, kubernetes, program):
    newest = ".".join(kubernetes.split(".")[:2])
    for name, (arguments, extra) in VARIATIONS.items():
        lint = run(helm, "lint", "--strict", CHART, *arguments)
        report(f"{name}: helm lint --strict", [] if lint.returncode == 0 else [lint.stdout + lint.stderr])
        for version in OLDEST, newest:
            r, docs = render(helm, arguments + ["--kube-version", version])
            report(f"{name}: renders for Kubernetes {version}", [] if docs else [r.stderr])
            report(f"{name}: every document is valid in Kubernetes {version}", against_schemas(docs, version) if docs else ["nothing"])
        for rule in rules.EVERYWHERE + extra:
            report(f"{name}: {rule.__name__.replace('_', ' ')}", held(rule, docs) if docs else ["nothing rendered"])
        if program:
            report(f"{name}: idp check-config accepts it", accepted_by(program, docs) if docs else ["nothing rendered"])
    for name, arguments in REFUSED.items():
        r, docs = render(helm, arguments)
        report(f"refused: {name}", ["it was rendered"] if docs else [])
    r, docs = render(helm, [])
    teeth(docs, newest)
    packaged(helm)


def packaged(helm):
    with tempfile.TemporaryDirectory() as d:
        r = run(helm, "package", CHART, "-d", d)
        names = run("tar", "-tzf", os.path.join(d, os.listdir(d)[0])).stdout.split() if os.listdir(d) else []
        inside = {n.split("/", 1)[1] for n in names}
        report("helm package: the chart without its tests", [] if "Chart.yaml" in inside and not any(
            n.startswith(("checks", "test")) for n in inside) else [r.stderr, sorted(inside)])


# ---------------------------------------------------------------- would a rule notice?
def pod_of(docs, name="idp"):
    return rules.named(docs, "Deployment", name)["spec"]["template"]["spec"]


def first(docs):
    return pod_of(docs)["containers"][0]


def policy(docs):
    return rules.named(docs, "NetworkPolicy", "idp-provider")["spec"]


BREAKS = [
    (rules.runs_as_nobody_in_particular, lambda d: pod_of(d)["securityContext"].pop("runAsNonRoot")),
    (rules.runs_as_nobody_in_particular, lambda d: pod_of(d)["securityContext"].pop("seccompProfile")),
    (rules.containers_can_do_nothing_else, lambda d: first(d)["securityContext"].update(readOnlyRootFilesystem=False)),
    (rules.containers_can_do_nothing_else, lambda d: first(d)["securityContext"]["capabilities"].update(add=["NET_ADMIN"])),
    (rules.no_cluster_identity, lambda d: pod_of(d).pop("automountServiceAccountToken")),
    (rules.no_cluster_identity, lambda d: pod_of(d).pop("enableServiceLinks")),
    (rules.bounded_resources, lambda d: first(d)["resources"].pop("limits")),
    (rules.probes_on_operations, lambda d: first(d)["readinessProbe"]["httpGet"].update(port=8080)),
    (rules.probes_on_operations, lambda d: first(d).pop("startupProbe")),
    (rules.listeners_meet_ports, lambda d: first(d)["ports"][0].update(containerPort=8090)),
    (rules.secrets_are_files, lambda d: first(d)["env"].append({"name": "IDP_DATABASE__URL", "value": "postgres://u:p@h/d"})),
    (rules.secrets_are_files, lambda d: first(d)["env"].append({"name": "IDP_X", "valueFrom": {"secretKeyRef": {}}})),
    (rules.secrets_are_files, lambda d: pod_of(d)["volumes"][0]["secret"].update(defaultMode=0o644)),
    (rules.secret_files_are_mounted, lambda d: first(d)["env"].append({"name": "IDP_SMS__TOKEN_FILE", "value": "/etc/sms/token"})),
    (rules.certificates_can_be_renewed, lambda d: first(d)["env"].append({"name": "IDP_TLS__KEY", "value": "/etc/idp/tls/tls.key"})),
    (rules.nobody_states_certificates_unasked, lambda d: first(d)["env"].append({"name": "IDP_MTLS__TRUSTED_PROXIES", "value": "0.0.0.0/0"})),
    (rules.listeners_meet_ports, lambda d: first(d)["ports"][0].update(name="https")),
    (rules.listeners_meet_ports, lambda d: first(d)["ports"].append({"name": "mtls", "containerPort": 8443})),
    (rules.speaks_plain_http, lambda d: first(d)["env"].append({"name": "IDP_MTLS__LISTEN", "value": "0.0.0.0:8443"})),
    (rules.speaks_tls, lambda d: None),
    (rules.asks_for_certificates, lambda d: None),
    (rules.takes_a_proxys_word, lambda d: None),
    (rules.threads_are_bounded, lambda d: first(d)["resources"]["limits"].update(memory="48Mi")),
    (rules.keys_are_where_the_program_looks, lambda d: first(d)["volumeMounts"][1].update(mountPath="/elsewhere")),
    (rules.mounts_have_volumes, lambda d: pod_of(d)["volumes"].pop()),
    (rules.shutdown_has_time, lambda d: pod_of(d).update(terminationGracePeriodSeconds=30)),
    (rules.images_are_pinned, lambda d: first(d).update(image="idp:latest")),
    (rules.selectors_find_pods, lambda d: rules.named(d, "Service", "idp")["spec"]["selector"].update({"app.kubernetes.io/component": "x"})),
    (rules.operations_stay_apart, lambda d: rules.named(d, "Service", "idp")["spec"]["ports"].append({"targetPort": "operations"})),
    (rules.operations_only_from_monitoring, lambda d: policy(d)["ingress"][1].pop("from")),
    (rules.operations_only_from_monitoring, lambda d: d.remove(rules.named(d, "NetworkPolicy", "idp-provider"))),
    (rules.names_are_unique, lambda d: d.append(d[0])),
    (rules.on_servers, lambda d: rules.named(d, "Deployment", "idp")["spec"].update(replicas=1)),
    (rules.migration_is_a_hook, lambda d: rules.named(d, "Job", "idp-migration")["metadata"].pop("annotations")),
    (rules.no_secret_of_its_own, lambda d: d.append({"kind": "Secret", "metadata": {"name": "s"}})),
    (rules.one_pod_with_everything, lambda d: None),
    (rules.scaled, lambda d: None),
]


def teeth(docs, version):
    for rule, damage in BREAKS:
        broken = copy.deepcopy(docs)
        damage(broken)
        report(f"noticed: {rule.__name__.replace('_', ' ')}", [] if held(rule, broken) else ["the rule let it pass"])
    broken = copy.deepcopy(docs)
    rules.named(broken, "Deployment", "idp")["spec"]["replicas"] = "2"
    report("noticed: a schema violation", [] if list(against_schemas(broken, version)) else ["it passed"])


# ---------------------------------------------------------------- what needs no helm
def merged(base, over):
    out = copy.deepcopy(base)
    for k, v in over.items():
        out[k] = merged(out[k], v) if isinstance(v, dict) and isinstance(out.get(k), dict) else v
    return out


def static():
    read = lambda name: open(os.path.join(CHART, name), encoding="utf-8").read()
    chart, values = yaml.safe_load(read("Chart.yaml")), yaml.safe_load(read("values.yaml"))
    report("Chart.yaml is complete", [k for k in ("apiVersion", "name", "version", "appVersion", "kubeVersion") if not chart.get(k)])
    version = re.search(r'\[workspace.package\][^\[]*?\nversion = "([^"]+)"', open(os.path.join(ROOT, "Cargo.toml")).read())
    report("appVersion is the workspace's", [] if version and version[1] == chart["appVersion"] else [f"{chart['appVersion']} and {version and version[1]}"])
    schema = json.loads(read("values.schema.json"))
    validator = jsonschema.Draft202012Validator(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, v in ("values.yaml", values), ("values-embedded.yaml", merged(values, yaml.safe_load(read("values-embedded.yaml")))):
        report(f"{name} fits values.schema.json", [e.message for e in validator.iter_errors(v)])
    for name, over in (("root", {"podSecurity": {"runAsUser": 0}}), ("a misspelt value", {"provder": {}}),
                       ("a secret in the environment", {"settings": {"IDP_DATABASE__URL": "postgres://u:p@h/d"}})):
        report(f"the schema refuses {name}", [] if list(validator.iter_errors(merged(values, over))) else ["it fits"])
    for f in sorted(os.listdir(os.path.join(CHART, "templates"))):
        text = read(os.path.join("templates", f))
        actions = re.findall(r"{{-?\s*(if|range|with|define|end)\b", text)
        report(f"templates/{f}: every block ends", [] if actions.count("end") * 2 == len(actions) else [actions])


def containerfile():
    path = os.path.join(ROOT, "Containerfile")
    lint = run(os.path.join(os.path.dirname(sys.executable), "hadolint"), "--failure-threshold", "style", path)
    report("Containerfile: hadolint", [] if lint.returncode == 0 else [lint.stdout + lint.stderr])
    text = re.sub(r"\\\n", " ", open(path).read())
    lines = [l.split(None, 1) for l in text.splitlines() if l.strip() and not l.startswith("#")]
    last = lines[max(i for i, l in enumerate(lines) if l[0] == "FROM"):]
    one = lambda word: next((l[1] for l in last if l[0] == word), "")
    report("Containerfile: runs as a number that is not root", [] if re.fullmatch(r"[1-9]\d*:[1-9]\d*", one("USER")) else [one("USER")])
    report("Containerfile: the user is the chart's", [] if one("USER").split(":")[0] == str(yaml.safe_load(
        open(os.path.join(CHART, "values.yaml")))["podSecurity"]["runAsUser"]) else [one("USER")])
    report("Containerfile: no shell between the program and its signals", [
        l for l in last if l[0] in ("ENTRYPOINT", "CMD") and not l[1].startswith("[")] or ([] if one("ENTRYPOINT") else ["no ENTRYPOINT"]))
    report("Containerfile: stages come from pinned names", [l for l in lines if l[0] == "FROM" and not re.match(
        r"scratch$|[^ ]+:[^ ]*\d[^ ]*( AS \w+)?$", l[1])])
    report("Containerfile: built from the lock file", [] if "--locked" in text and "--profile dist" in text else ["cargo may choose other versions"])
    report("Containerfile: copies, never fetches", [l for l in lines if l[0] == "ADD"] + re.findall(r"\b(?:curl|wget)\b", text))
    report("Containerfile: no secret in a layer", [l for l in lines if l[0] in ("ARG", "ENV") and re.search(r"PASSWORD|SECRET|TOKEN", l[1])])
    values = yaml.safe_load(open(os.path.join(CHART, "values.yaml")))
    ports = {str(values[c][p]) for c in ("provider", "console") for p in ("port", "operationsPort")}
    report("Containerfile: exposes what the chart names", [] if set(one("EXPOSE").split()) == ports else [one("EXPOSE"), ports])
    for label in "title", "licenses", "version":
        report(f"Containerfile: label {label}", [] if f"org.opencontainers.image.{label}=" in one("LABEL") else ["missing"])
    ignored = [l for l in open(os.path.join(ROOT, ".containerignore")).read().split("\n") if l and not l.startswith("#")]
    report(".containerignore: nothing enters but what is named", [] if ignored[0] == "*" and not any(
        w in l for l in ignored if l.startswith("!") for w in ("target", ".git", ".sandbox")) else ignored)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--helm", default="")
    a.add_argument("--kubernetes", required=True)
    a.add_argument("--idp", default="", help="a built provider, to read what the chart gives it")
    a = a.parse_args()
    static()
    containerfile()
    if a.helm:
        rendered(a.helm, a.kubernetes, a.idp)
    else:
        print("NOT RENDERED: helm is missing, so no template was ever executed", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
