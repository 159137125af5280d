"""How the suite's browser finds its way through our pages: by their stable hooks, whatever they say."""

ERROR_PAGES = [
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-redirect-uri-in-authorization-request",
    "oidcc-redirect-uri-query-added",
    "oidcc-redirect-uri-query-mismatch",
    "oidcc-redirect-uri-regfrag",
    "oidcc-ensure-request-object-with-redirect-uri",
    "fapi2-security-profile-final-ensure-request-object-with-unregistered-redirect-uri-fails",
    "fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object",
    "fapi2-security-profile-final-attempt-reuse-request_uri",
    "fapi2-security-profile-final-par-attempt-to-use-expired-request_uri",
    "fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client",
    "fapi2-security-profile-final-ensure-unsigned-authorization-request-without-using-par-fails",
]
FIRST_PAGES = ["oidcc-registration-logo-uri", "oidcc-registration-policy-uri", "oidcc-registration-tos-uri"]
AGAIN = ["oidcc-prompt-login", "oidcc-max-age-1"]


def seen(hook, optional=False):
    """Waits for a page by its `data-page` and keeps its picture for the reviewer."""
    picture = "update-image-placeholder-optional" if optional else "update-image-placeholder"
    return ["wait", "xpath", f"//body[@data-page='{hook}']", 10, ".*", picture]


def sign_in(args, picture=False):
    commands = [seen("sign-in", optional=True)] if picture else []
    commands += [
        ["text", "id", "person_number", args.person_number, "optional"],
        ["text", "id", "password", args.password],
        ["click", "id", "submit"],
    ]
    return {"task": "Sign in", "optional": True, "match": args.issuer + "/sign-in*", "commands": commands}


def consent(args):
    return {
        "task": "Consent",
        "optional": True,
        "match": args.issuer + "/consent*",
        "commands": [["click", "id", "allow"]],
    }


def back(alias):
    return {
        "task": "Verify complete",
        "match": f"*/test/a/{alias}/callback*",
        "commands": [["wait", "id", "submission_complete", 10]],
    }


def authorize(args, alias, picture=False):
    tasks = [sign_in(args, picture), consent(args), back(alias)]
    return {"match": args.issuer + "/authorize*", "tasks": tasks}


def sign_out(args, alias):
    confirm = {
        "task": "Confirm",
        "optional": True,
        "match": args.issuer + "/sign-out*",
        "commands": [["click", "id", "confirm"]],
    }
    back_again = {"task": "Verify complete", "optional": True, "match": f"*/test/a/{alias}/post*"}
    return {"match": args.issuer + "/end-session*", "tasks": [confirm, back_again]}


def page(args, path, hook):
    tasks = [{"task": f"Expect the {hook} page", "match": args.issuer + path, "commands": [seen(hook)]}]
    return {"match": args.issuer + "/authorize*", "tasks": tasks}


def browser(args, alias):
    """The `browser` and `override` members of a plan's configuration."""
    override = {module: {"browser": [page(args, "/authorize*", "error")]} for module in ERROR_PAGES}
    override |= {module: {"browser": [page(args, "/sign-in*", "sign-in")]} for module in FIRST_PAGES}
    override |= {module: {"browser": [authorize(args, alias, picture=True)]} for module in AGAIN}
    return {"browser": [authorize(args, alias), sign_out(args, alias)], "override": override}
