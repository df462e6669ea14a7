"""Somebody of each kind in a keeper's process, and every question by which they could be opened."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime

from tests.strongroom.opens import CAPABILITIES, JOB, STATES, Case, Table
from tests.strongroom.process import KeeperProcess, Newcomer, code, values
from troth.pledge.keeper import capabilities, messages
from troth.pledge.keeper.messages import raw_ref
from troth.pledge.keeper.policy import CLASSES, PURPOSES, REACHED_BY, ROLES

PASSWORD = "heron and lantern"
INVENTED = ("", "anything")  # purposes that no policy names


class Trial:
    """`signing`: the key of capabilities, so that some can be shown that the keeper never gave."""

    def __init__(self, keeper: KeeperProcess, signing: bytes, now: datetime) -> None:
        self.keeper, self._signing, self._now = keeper, signing, int(now.timestamp())
        self._other = keeper.newcomer(PASSWORD)
        self.refusals: set[str] = set()

    def table(self) -> Table:
        return {case: found for state in STATES for case, found in self._of(state)}

    def _of(self, state: str) -> Iterator[tuple[Case, frozenset[tuple[str, str]]]]:
        for role in ROLES:
            person = self.keeper.newcomer(PASSWORD)
            shown = self._shown(person)
            person = person.holding(shown["their own"])
            self._bring(person, state)
            if "guest" in state:
                person = self._guest_of(person)
            for kind, capability in shown.items():
                yield Case(state, role, kind), frozenset(self._opened(role, person, capability))

    def _shown(self, person: Newcomer) -> dict[str, str]:
        change = messages.Change(person.capability, PASSWORD, new_password=PASSWORD)
        mine = self.keeper.ask("web", change).capability
        raw, epoch, _ = capabilities.read(self._signing, mine, self._now)

        def signed(**how: object) -> str:
            return capabilities.issue(self._signing, raw, epoch, self._now, **how)  # type: ignore[arg-type]

        assert capabilities.read(self._signing, signed(), self._now)[0] == raw_ref(person.ref)
        invented = capabilities.issue(bytes(32), raw, epoch, self._now)
        kinds = (
            mine, "", self._other.capability, person.capability, signed(lifetime=0), signed(scope="staff"), invented,
        )  # fmt: skip
        return dict(zip(CAPABILITIES, kinds, strict=True))

    def _bring(self, person: Newcomer, state: str) -> None:
        """Into that state, by the verbs that web and worker have for it."""
        web, worker = ([] for _ in range(2))
        if "allowed" in state:
            web.append(messages.Consent("marketing", True, person.capability))
        if "objected" in state:
            worker.append(messages.Consent("marketing", False, ref=person.ref))
        if "to be forgotten" in state:
            worker.append(messages.Restrict(person.ref, STATES[state][1] or ""))
        elif "forgotten" in state:
            worker.append(messages.Shred(person.ref, ["tax"] if "tax" in state else []))
        for role, questions in (("web", web), ("worker", worker)):
            for question in questions:
                assert code(self.keeper.ask(role, question)) == "Done", state

    def _guest_of(self, owner: Newcomer) -> Newcomer:
        """Somebody who bought as a guest, and whom that person's account has taken over."""
        guest = self.keeper.newcomer()
        asked = messages.Redeem(ref=guest.ref, kind="claim", mailbox=owner.mailbox)
        mailed = self.keeper.ask("worker", asked)
        claim = messages.Prove(mailed.ticket, mailed.secret, capability=owner.capability)
        assert code(self.keeper.ask("web", claim)) == "Proved"
        return Newcomer(guest.keys, owner.mailbox, "", owner.capability)

    def _opened(self, role: str, person: Newcomer, capability: str) -> Iterator[tuple[str, str]]:
        """Each class for each purpose, alone and beside the contact by which people show who they are."""
        for klass, purpose in itertools.product(CLASSES, (*PURPOSES, *INVENTED)):
            alone, beside = [klass], [klass, REACHED_BY]
            if any(self._opens(role, person, classes, purpose, capability) for classes in (alone, beside)):
                yield klass, purpose

    def _opens(self, role: str, person: Newcomer, classes: list[str], purpose: str, capability: str) -> bool:
        records = [person.record(klass, f"row-{number}") for number, klass in enumerate(classes)]
        answer = self.keeper.ask(role, messages.Open(records, purpose, JOB, capability))
        if isinstance(answer, messages.Opened):
            assert list(values(answer)) == [person.value(klass) for klass in classes]
            return True
        self.refusals.add(code(answer))
        return False
