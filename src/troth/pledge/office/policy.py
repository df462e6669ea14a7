"""Who here has power, and what it opens. The keeper goes by this table and by nothing that the desk says.

A role gives purposes, never rows: it opens a class of one customer's only within a job on that customer.
"""

ROLES = ("support", "billing", "officer", "catalogue", "owner")
KINDS = ("employee", "agency")
BREAK_GLASS = "break-glass"  # the role of a job that was taken without one: loud, and over in an hour
FOR_AGENCIES = frozenset({"catalogue"})

# role -> purpose -> classes. What law and tax keep opens for nobody at the desk.
GRANTS: dict[str, dict[str, frozenset[str]]] = {
    "support": {"support": frozenset({"contact", "correspondence"})},
    "billing": {"bill": frozenset({"billing"}), "support": frozenset({"contact"})},
    "officer": {"support": frozenset({"contact", "correspondence"})},
    BREAK_GLASS: {"support": frozenset({"contact", "correspondence"})},
}
_NONE = frozenset[str]()
ROSTER = frozenset({"officer", "owner"})  # may read who works here

SHIFT, FRESH, INVITED = 8 * 3600, 300, 7 * 86400  # seconds: a session, a second factor, an invitation
LONGEST_JOB, LOUD_JOB, LONGEST_OFFICE = 14 * 86400, 3600, 400 * 86400
JOBS_A_DAY, SEARCHES_A_DAY, OPENINGS_A_DAY, REDIRECTS_A_DAY = 100, 50, 1000, 20  # of one colleague


def power(roles: str, kind: str, state: str, until: int, now: int) -> tuple[str, ...]:
    """The roles that somebody has now: none unless attested and in time; with an agency none that opens."""
    if state != "active" or until <= now:
        return ()
    return tuple(role for role in roles.split() if kind == "employee" or role in FOR_AGENCIES)


def runs(until: int, closed: int, now: int) -> bool:
    """Whether a job still opens anything."""
    return not closed and now < until


def role_for(roles: tuple[str, ...], purpose: str, classes: set[str]) -> str:
    """The first of these roles that opens all these classes for the purpose; "" if none does."""
    granting = {role: GRANTS.get(role, {}).get(purpose, _NONE) for role in roles}
    return next((role for role, granted in granting.items() if granted and classes <= granted), "")
