"""What must hold in every rendering of the chart. A rule takes the documents and yields what is wrong."""
import os
import re

SECRET_WORD = re.compile(r"(URL|SECRET|PASSWORD|CREDENTIALS?)$")
SECRET_VALUE = re.compile(r"://[^/\s]*:[^/\s]*@|BEGIN [A-Z ]*PRIVATE KEY")
PUBLIC = {"IDP_ADMIN__PUBLIC_URL"}


def of(docs, kind):
    return [d for d in docs if d["kind"] == kind]


def named(docs, kind, name):
    return next((d for d in of(docs, kind) if d["metadata"]["name"] == name), None)


def pods(docs):
    """(name, labels, pod spec) of everything that starts pods."""
    for d in docs:
        if d["kind"] in ("Deployment", "Job"):
            template = d["spec"]["template"]
            yield d["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def containers(docs, serving_only=False):
    for name, _, pod in pods(docs):
        rest = [] if serving_only else pod.get("initContainers", [])
        if serving_only and pod.get("restartPolicy") == "Never":
            continue
        for c in pod["containers"] + rest:
            yield f"{name}/{c['name']}", pod, c


def matching(docs, selector):
    return [(n, pod) for n, labels, pod in pods(docs) if all(labels.get(k) == v for k, v in selector.items())]


def arguments(container):
    return container.get("command", []) + container.get("args", [])


def environment(container):
    return {e["name"]: e.get("value") for e in container.get("env", [])}


# ---------------------------------------------------------------- every rendering
def runs_as_nobody_in_particular(docs):
    for name, _, pod in pods(docs):
        s = pod.get("securityContext", {})
        if s.get("runAsNonRoot") is not True or not s.get("runAsUser", 0) or not s.get("runAsGroup", 0):
            yield f"{name} may run as root"
        if s.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        if not s.get("fsGroup"):
            yield f"{name} could not read its secret files"
        if pod.get("hostNetwork") or pod.get("hostPID") or pod.get("hostIPC"):
            yield f"{name} shares the node's namespaces"


def containers_can_do_nothing_else(docs):
    for name, _, c in containers(docs):
        s = c.get("securityContext", {})
        if s.get("readOnlyRootFilesystem") is not True:
            yield f"{name} may write to its root"
        if s.get("allowPrivilegeEscalation") is not False or s.get("privileged"):
            yield f"{name} may gain privileges"
        if s.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} keeps capabilities"


def no_cluster_identity(docs):
    for name, _, pod in pods(docs):
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name} mounts a service account token"
        if pod.get("enableServiceLinks") is not False:
            yield f"{name} takes IDP_PORT from service links, which reads as a setting"
    for account in of(docs, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield "the service account hands out its token"
    for d in docs:
        if "Role" in d["kind"]:
            yield f"{d['kind']} grants what nothing here needs"


def bounded_resources(docs):
    for name, _, c in containers(docs):
        r = c.get("resources", {})
        if not {"cpu", "memory"} <= set(r.get("requests", {})) or "memory" not in r.get("limits", {}):
            yield f"{name} has no bounds: {r}"


def probes_on_operations(docs):
    for name, _, c in containers(docs, serving_only=True):
        ports = {p["name"]: p["containerPort"] for p in c["ports"]}
        operations = ports.get("operations") or ports.get("console-ops")
        for probe, path in ("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz"):
            get = c.get(probe, {}).get("httpGet", {})
            if get.get("path") != path or get.get("port") != operations:
                yield f"{name}: {probe} is {get}"
        env = environment(c)
        key = "IDP_ADMIN__OPERATIONS_LISTEN" if "admin" in "".join(arguments(c)) else "IDP_OPERATIONS__LISTEN"
        if env.get(key) != f"0.0.0.0:{operations}":
            yield f"{name}: {key} is {env.get(key)}, the probes ask port {operations}"


def listeners_meet_ports(docs):
    for name, _, c in containers(docs, serving_only=True):
        ports = {p["name"]: p["containerPort"] for p in c["ports"]}
        public = ports.get("http") or ports.get("https") or ports.get("console")
        if "https" in ports and "IDP_TLS__CERTIFICATE" not in environment(c):
            yield f"{name}: a port called https speaks HTTP"
        if "mtls" in ports and environment(c).get("IDP_MTLS__LISTEN") != f"0.0.0.0:{ports['mtls']}":
            yield f"{name}: nobody listens for certificates at {ports['mtls']}"
        key = "IDP_ADMIN__LISTEN" if "admin" in "".join(arguments(c)) else "IDP_LISTEN"
        if environment(c).get(key) != f"0.0.0.0:{public}":
            yield f"{name}: {key} is {environment(c).get(key)}, the Service sends to {public}"


def secrets_are_files(docs):
    for name, pod, c in containers(docs):
        if c.get("envFrom"):
            yield f"{name} takes its environment from elsewhere"
        for e in c.get("env", []):
            if "valueFrom" in e:
                yield f"{name}: {e['name']} carries a secret in the environment"
            plain = e["name"] == "IDP_DATABASE__URL" and str(e.get("value", "")).startswith("sqlite:")
            if SECRET_WORD.search(e["name"]) and e["name"] not in PUBLIC and not plain:
                yield f"{name}: {e['name']} must stand in the mounted file"
            if SECRET_VALUE.search(str(e.get("value", ""))):
                yield f"{name}: the value of {e['name']} is a secret"
        if any(SECRET_VALUE.search(a) for a in arguments(c)):
            yield f"{name} has a secret among its arguments"
        mounts = {m["name"]: m for m in c["volumeMounts"]}
        volumes = {v["name"]: v for v in pod["volumes"]}
        if "secret" not in volumes["config"] or not mounts["config"].get("readOnly"):
            yield f"{name}: the configuration is no read-only secret file"
        if f"{mounts['config']['mountPath']}/idp.toml" not in arguments(c):
            yield f"{name} is not told where its configuration is"
        for v in pod["volumes"]:
            if "secret" in v and v["secret"].get("defaultMode", 0o644) & 0o007:
                yield f"{name}: {v['name']} is readable by everybody"


def secret_files_are_mounted(docs):
    for name, pod, c in containers(docs):
        mounts = {m["mountPath"]: m["name"] for m in c["volumeMounts"]}
        for key, value in environment(c).items():
            if key.endswith("_FILE"):
                volume = next((v for v in pod["volumes"] if v["name"] == mounts.get(os.path.dirname(value))), {})
                if "secret" not in volume:
                    yield f"{name}: {key} names {value}, which no Secret brings"


def certificates_can_be_renewed(docs):
    """What the program reads again when it changes stands in a directory of its own, from a Secret."""
    for name, pod, c in containers(docs, serving_only=True):
        mounts = {m["mountPath"]: m for m in c["volumeMounts"]}
        for key, value in environment(c).items():
            if key not in ("IDP_TLS__CERTIFICATE", "IDP_TLS__KEY", "IDP_MTLS__CLIENT_CA"):
                continue
            mount = mounts.get(os.path.dirname(value), {})
            if "subPath" in mount or not mount.get("readOnly"):
                yield f"{name}: {value} would never change, or could be changed"
            volume = next((v for v in pod["volumes"] if v["name"] == mount.get("name")), {})
            if os.path.basename(value) not in [i["path"] for i in volume.get("secret", {}).get("items", [])]:
                yield f"{name}: no Secret brings {value}"


def nobody_states_certificates_unasked(docs):
    for name, _, c in containers(docs):
        env = environment(c)
        if "0.0.0.0/0" in env.get("IDP_MTLS__TRUSTED_PROXIES", "") or "::/0" in env.get("IDP_MTLS__TRUSTED_PROXIES", ""):
            yield f"{name}: everybody may state any certificate"


def threads_are_bounded(docs):
    for name, _, c in containers(docs, serving_only=True):
        env = environment(c)
        hashing = int(env.get("IDP_WEB__PASSWORD_THREADS", 64))
        memory = int(c["resources"]["limits"]["memory"].removesuffix("Mi"))
        # Argon2id takes 19 MiB a thread; a quarter of the limit is left to everything else at the very least.
        if "IDP_WEB__WORKERS" not in env or hashing * 19 > memory * 3 / 4:
            yield f"{name} would take the whole node's cores, or more memory than it may"


def keys_are_where_the_program_looks(docs):
    for name, pod, c in containers(docs, serving_only=True):
        directory = environment(c)["IDP_KEYS__DIRECTORY"]
        mount = next((m for m in c["volumeMounts"] if m["name"] == "keys"), {})
        path = mount.get("mountPath", "?")
        if directory != path and not directory.startswith(path + "/"):
            yield f"{name}: keys mounted at {path}, looked for in {directory}"
        volume = next(v for v in pod["volumes"] if v["name"] == "keys")
        if "secret" in volume and directory != path:
            yield f"{name}: a Secret has no directories"
        if "persistentVolumeClaim" in volume and directory == path:
            # A volume's own root is readable by its group, often by everybody.
            yield f"{name}: keys must be in a directory of their own on the volume"


def mounts_have_volumes(docs):
    for name, _, pod in pods(docs):
        volumes = [v["name"] for v in pod["volumes"]]
        used = [m["name"] for c in pod["containers"] + pod.get("initContainers", []) for m in c["volumeMounts"]]
        if set(volumes) != set(used) or len(volumes) != len(set(volumes)):
            yield f"{name}: volumes {sorted(volumes)}, mounts {sorted(set(used))}"
        for v in pod["volumes"]:
            claim = v.get("persistentVolumeClaim", {}).get("claimName")
            if claim and not named(docs, "PersistentVolumeClaim", claim):
                yield f"{name}: nobody makes the claim {claim}"


def shutdown_has_time(docs):
    for name, _, pod in pods(docs):
        if pod.get("restartPolicy") == "Never":
            continue
        for c in pod["containers"]:
            drain = c.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            finish = int(environment(c)["IDP_WEB__SHUTDOWN_SECONDS"])
            if pod.get("terminationGracePeriodSeconds", 30) <= finish + drain:
                yield f"{name} may be killed before it has finished"


def images_are_pinned(docs):
    seen = {c["image"] for _, _, c in containers(docs)}
    if len(seen) != 1:
        yield f"more than one image: {seen}"
    for image in seen:
        if not re.search(r"(:[^:/@]+|@sha256:[0-9a-f]{64})$", image) or image.endswith(":latest"):
            yield f"{image} is not pinned"


def selectors_find_pods(docs):
    for d in docs:
        selector = {"Deployment": lambda s: s["selector"]["matchLabels"], "Service": lambda s: s["selector"],
                    "PodDisruptionBudget": lambda s: s["selector"]["matchLabels"],
                    "NetworkPolicy": lambda s: s["podSelector"]["matchLabels"]}.get(d["kind"])
        if not selector:
            continue
        found = matching(docs, selector(d["spec"]))
        if len(found) != 1:
            yield f"{d['kind']} {d['metadata']['name']} finds {[n for n, _ in found]}"
        if d["kind"] == "Service" and found:
            ports = {p["name"] for c in found[0][1]["containers"] for p in c["ports"]}
            for p in d["spec"]["ports"]:
                if p["targetPort"] not in ports:
                    yield f"Service {d['metadata']['name']} sends to {p['targetPort']}, which is not among {ports}"


def operations_stay_apart(docs):
    for s in of(docs, "Service"):
        targets = {p["targetPort"] for p in s["spec"]["ports"]}
        operations = targets & {"operations", "console-ops"}
        if operations and (len(targets) > 1 or s["spec"]["type"] != "ClusterIP"):
            yield f"Service {s['metadata']['name']} shows {operations} beside the public listener"
    for i in of(docs, "Ingress"):
        for rule in i["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                if "operations" in path["backend"]["service"]["name"]:
                    yield f"Ingress {i['metadata']['name']} leads to the operations listener"


def operations_only_from_monitoring(docs):
    policies = of(docs, "NetworkPolicy")
    for name, labels, pod in pods(docs):
        mine = [p for p in policies if all(labels.get(k) == v for k, v in p["spec"]["podSelector"]["matchLabels"].items())]
        if not mine or any("Ingress" not in p["spec"]["policyTypes"] for p in mine):
            yield f"{name} is open to everybody"
        operations = {p["containerPort"] for c in pod["containers"] for p in c.get("ports", [])
                      if p["name"] in ("operations", "console-ops")}
        for policy in mine:
            for rule in policy["spec"].get("ingress", []):
                reached = {p["port"] for p in rule.get("ports", [])}
                if not reached:
                    yield f"{name}: a rule opens every port"
                if reached & operations and not rule.get("from"):
                    yield f"{name}: operations open to everybody"
                if reached & operations and reached - operations:
                    yield f"{name}: one rule for operations and public"


def ingress_has_tls(docs):
    for i in of(docs, "Ingress"):
        hosts = {h for t in i["spec"].get("tls", []) if t.get("secretName") for h in t["hosts"]}
        for rule in i["spec"]["rules"]:
            if rule.get("host") not in hosts:
                yield f"Ingress {i['metadata']['name']}: {rule.get('host')} has no certificate"
            for path in rule["http"]["paths"]:
                if not named(docs, "Service", path["backend"]["service"]["name"]):
                    yield f"Ingress {i['metadata']['name']} leads nowhere"


def claims_survive(docs):
    for c in of(docs, "PersistentVolumeClaim"):
        if c["metadata"].get("annotations", {}).get("helm.sh/resource-policy") != "keep":
            yield f"uninstalling would take {c['metadata']['name']} along"


def names_are_unique(docs):
    seen = set()
    for d in docs:
        key = (d["kind"], d["metadata"]["name"])
        if key in seen:
            yield f"{key} twice"
        seen.add(key)
        if len(d["metadata"]["name"]) > 63:
            yield f"{key} is too long"


EVERYWHERE = [runs_as_nobody_in_particular, containers_can_do_nothing_else, no_cluster_identity, bounded_resources,
              probes_on_operations, listeners_meet_ports, secrets_are_files, secret_files_are_mounted,
              certificates_can_be_renewed, nobody_states_certificates_unasked,
              threads_are_bounded, keys_are_where_the_program_looks, mounts_have_volumes, shutdown_has_time, images_are_pinned, selectors_find_pods, operations_stay_apart,
              operations_only_from_monitoring, ingress_has_tls, claims_survive, names_are_unique]


# ---------------------------------------------------------------- some renderings
def on_servers(docs):
    provider, console = named(docs, "Deployment", "idp"), named(docs, "Deployment", "idp-console")
    if not provider or not console:
        yield "provider and console are two Deployments"
        return
    if provider["spec"].get("replicas", 2) < 2:
        yield "one provider is no provider"
    for d in provider, console:
        if d["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] != 0:
            yield f"{d['metadata']['name']}: an upgrade takes capacity away"
        if len(d["spec"]["template"]["spec"].get("topologySpreadConstraints", [])) < 2:
            yield f"{d['metadata']['name']}: all pods may end on one node"
    if arguments(provider["spec"]["template"]["spec"]["containers"][0])[-1] != "serve":
        yield "the provider does not serve"
    if arguments(console["spec"]["template"]["spec"]["containers"][0])[0] != "/usr/local/bin/admin":
        yield "the console is not admin"
    if len(of(docs, "PodDisruptionBudget")) != 2:
        yield "a drain may take every pod"
    if of(docs, "PersistentVolumeClaim"):
        yield "nothing is kept in the pods"
    if "IDP_DATABASE__URL" in environment(provider["spec"]["template"]["spec"]["containers"][0]):
        yield "the database stands in the Secret"


def migration_is_a_hook(docs):
    job = named(docs, "Job", "idp-migration")
    if not job:
        yield "no migration"
        return
    hook = job["metadata"].get("annotations", {})
    if set(hook.get("helm.sh/hook", "").split(",")) != {"pre-install", "pre-upgrade"}:
        yield f"the migration runs at {hook.get('helm.sh/hook')}"
    pod = job["spec"]["template"]["spec"]
    if arguments(pod["containers"][0])[-2:] != ["migrate", "up"]:
        yield "the migration does not migrate"
    if pod["serviceAccountName"] != "default":
        yield "the hook runs before the chart's account exists"
    if any(v["name"] == "keys" for v in pod["volumes"]):
        yield "the migration sees keys it does not need"
    if not job["spec"].get("activeDeadlineSeconds") or pod["restartPolicy"] != "Never":
        yield "the migration may run for ever"
    weight = lambda d: int(d["metadata"]["annotations"].get("helm.sh/hook-weight", 0))
    for v in pod["volumes"]:
        secret = named(docs, "Secret", v.get("secret", {}).get("secretName"))
        if secret and ("helm.sh/hook" not in secret["metadata"].get("annotations", {}) or weight(secret) >= weight(job)):
            yield f"{secret['metadata']['name']} does not exist yet when the hook runs"


def no_secret_of_its_own(docs):
    for s in of(docs, "Secret") + of(docs, "ConfigMap"):
        yield f"the chart carries {s['kind']} {s['metadata']['name']}"


def one_pod_with_everything(docs):
    if len(of(docs, "Deployment")) != 1 or of(docs, "Job"):
        yield "embedded is one Deployment and no Job"
        return
    d = of(docs, "Deployment")[0]
    if d["spec"].get("replicas") != 1 or d["spec"]["strategy"] != {"type": "Recreate"}:
        yield "two pods could open one SQLite file"
    if of(docs, "HorizontalPodAutoscaler") or of(docs, "PodDisruptionBudget"):
        yield "one pod is neither scaled nor budgeted"
    pod = d["spec"]["template"]["spec"]
    for c in pod["containers"]:
        url = environment(c).get("IDP_DATABASE__URL", "")
        path = next(m["mountPath"] for m in c["volumeMounts"] if m["name"] == "database")
        if not url.startswith(f"sqlite:{path}/"):
            yield f"{c['name']}: {url} is not on the volume"
    claims = {v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v}
    if len(claims) != 2:
        yield "database and keys are on volumes apart"


def scaled(docs):
    hpa, provider = of(docs, "HorizontalPodAutoscaler"), named(docs, "Deployment", "idp")
    if len(hpa) != 1 or hpa[0]["spec"]["scaleTargetRef"]["name"] != "idp":
        yield "nothing scales the provider"
    if "replicas" in provider["spec"]:
        yield "every upgrade would reset the number of pods"


def reached_by_its_issuer(docs):
    hosts = [r["host"] for i in of(docs, "Ingress") for r in i["spec"]["rules"]]
    if hosts != ["dang-nhap.example.vn", "quan-tri.example.vn"]:
        yield f"the Ingresses are for {hosts}"


def provider_of(docs):
    pod = named(docs, "Deployment", "idp")["spec"]["template"]["spec"]
    return pod, next(c for c in pod["containers"] if c["name"] == "provider")


def speaks_plain_http(docs):
    pod, c = provider_of(docs)
    told = [key for key in environment(c) if "TLS" in key]
    if told or {"tls", "client-ca"} & {v["name"] for v in pod["volumes"]}:
        yield f"TLS is off, and yet {told}"
    if named(docs, "Service", "idp-mtls") or "http" not in [p["name"] for p in c["ports"]]:
        yield "TLS is off, and a Service promises it"


def speaks_tls(docs):
    _, c = provider_of(docs)
    env = environment(c)
    if (env.get("IDP_TLS__CERTIFICATE"), env.get("IDP_TLS__KEY")) != ("/etc/idp/tls/tls.crt", "/etc/idp/tls/tls.key"):
        yield "the provider has no certificate"
    port = named(docs, "Service", "idp")["spec"]["ports"][0]
    if (port["name"], port["targetPort"]) != ("https", "https"):
        yield f"the Service promises {port}"
    for i in of(docs, "Ingress"):
        backend = i["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        if backend["port"]["name"] not in [p["name"] for p in named(docs, "Service", backend["name"])["spec"]["ports"]]:
            yield f"Ingress {i['metadata']['name']} asks for a port no Service has"


def asks_for_certificates(docs):
    _, c = provider_of(docs)
    env, service = environment(c), named(docs, "Service", "idp-mtls")
    if env.get("IDP_MTLS__ISSUER_ALIAS") != "https://mtls.dang-nhap.example.vn" or "IDP_MTLS__TRUSTED_PROXIES" in env:
        yield f"certificates are taken from elsewhere: {env}"
    if not service or [p["targetPort"] for p in service["spec"]["ports"]] != ["mtls"]:
        yield "no Service leads to that listener alone"
    if any(p["targetPort"] == "mtls" for s in of(docs, "Service") if s is not service for p in s["spec"]["ports"]):
        yield "another Service leads there too"
    reached = [p["port"] for r in named(docs, "NetworkPolicy", "idp-provider")["spec"]["ingress"] for p in r["ports"]]
    if 8443 not in reached:
        yield "no policy lets anybody reach it"
    if env.get("IDP_MTLS__CLIENT_CA") != "/etc/idp/client-ca/ca.crt":
        yield "no authority is trusted"


def takes_a_proxys_word(docs):
    pod, c = provider_of(docs)
    env = environment(c)
    if env.get("IDP_MTLS__TRUSTED_PROXIES") != "10.1.0.0/16,fd01::/16" or env.get("IDP_MTLS__CERTIFICATE_HEADER") != "ssl-client-cert":
        yield f"the proxy is not trusted: {env}"
    if "IDP_MTLS__LISTEN" in env or "mtls" in [p["name"] for p in c["ports"]] or named(docs, "Service", "idp-mtls"):
        yield "a listener nobody asked for"


def alone(docs):
    if any("console" in d["metadata"]["name"] for d in docs):
        yield "the console is off and still there"
