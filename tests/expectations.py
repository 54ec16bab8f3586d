"""What MINIDL_EXPECT demands of the machine that runs the tests."""


def unmet(expected, active):
    """What is wrong with each backend that ``expected`` (comma-separated) names, given the active ones."""
    problems = []
    for name in filter(None, (part.strip() for part in expected.split(","))):
        if name not in active:
            problems.append(f"backend {name!r} is expected but missing (here: {', '.join(sorted(active))})")
        elif name != "reference" and not active[name]:
            problems.append(f"backend {name!r} is expected but overrides nothing")
    return problems
