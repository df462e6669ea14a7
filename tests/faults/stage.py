"""A shop that is going to be broken: `python -m tests.faults.stage`, in the folder TROTH_HOME. SIGTERM stops it.

The supervisor is the shop's own, with two workers. Every process is started through tests.faults.role, which gives
each life of a role the next fault of its queue; who dies is started again after 0.1 s however often that happens.
"""

import subprocess
import sys

from tests.faults import role
from tests.shape.tree import ROOT
from troth import config
from troth.faces.cli import supervisor
from troth.faces.cli.serve import answers, bring_up_to_date, environment, prepare


def main() -> int:
    settings, environ = config.load(), environment()
    prepare(settings)
    supervisor.SETTLED = 0.0  # a death is what we came for: no growing pauses
    commands = {name: [sys.executable, "-m", "tests.faults.role", name] for name in supervisor.ORDER}
    crew = supervisor.Supervisor(settings.home, environ, commands)

    def prepare_the_shop() -> None:
        bring_up_to_date(settings, environ)
        told = {**environ, "TROTH_HOME": str(settings.home)}
        subprocess.run([sys.executable, "-m", "tests.faults.goods"], env=told, check=True, cwd=ROOT)

    if not crew.begin(prepare_the_shop, lambda: answers(settings)):
        return 1
    crew._keep("worker")
    role.say(settings.home, "open")
    crew.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
