"""Which files this process has open."""

from pathlib import Path

DESCRIPTORS = Path("/proc/self/fd")


def count_open(folder: Path) -> int:
    """Count the open files below a folder; other tests may open and close others."""
    links = (str(link.readlink()) for link in DESCRIPTORS.iterdir() if link.is_symlink())
    return sum(link.startswith(str(folder)) for link in links)
