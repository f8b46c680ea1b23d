"""Make ``tests/golden/state-v1.db``, which every release must read.

Run once for each version of the layout, before it is released:

PYTHONPATH=tests python tests/store/golden_state.py tests/golden/state-v1.db
"""

import sys
from pathlib import Path

import states

if __name__ == "__main__":
    states.fill(Path(sys.argv[1])).close()
