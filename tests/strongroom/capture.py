"""`troth serve` with a captured web process: `python -m tests.strongroom.capture`, in the folder TROTH_HOME."""

import sys

from troth.faces.cli import serve

if __name__ == "__main__":
    serve.run({"web": [sys.executable, "-m", "tests.strongroom.captive"]})
