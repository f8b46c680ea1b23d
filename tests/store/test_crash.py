"""What was acknowledged is there after a process was killed at any instant."""

import random
import subprocess
import sys
import time

from losswatch.store.database import Store

# Entries are numbers; the part is how many of them the snapshot holds.
WRITER = """
import sys
from losswatch.store.database import Store
store = Store(sys.argv[1])
done = int(store.parts().get("m", b"0")) + len(list(store.journal()))
while True:
    done += 1
    store.append(b"%d " % done * 500, {"source": {"offset": done}})
    print(done, flush=True)
    if done % 40 == 0:
        store.snapshot({"m": b"%d" % done})
"""


def killed_after(seconds: float, path) -> int:
    """Run a writer and kill it; return the last number that it acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        rest = writer.stdout.read().splitlines(keepends=True)
    whole = [line for line in [first, *rest] if line.endswith(b"\n")]
    return int(whole[-1])


def test_every_acknowledged_entry_is_there_once_and_in_order(tmp_path):
    dice = random.Random(3)
    for _ in range(20):
        acknowledged = killed_after(dice.uniform(0, 0.2), tmp_path / "losswatch.db")
        with Store(tmp_path / "losswatch.db") as store:
            begin = int(store.parts().get("m", b"0"))
            numbers = [int(entry.split(maxsplit=1)[0]) for entry in store.journal()]
            position = store.positions()["source"]["offset"]
        assert numbers == list(range(begin + 1, begin + 1 + len(numbers)))
        assert position == begin + len(numbers)
        assert acknowledged <= position <= acknowledged + 1
