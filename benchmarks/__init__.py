"""How fast, and how right, beside the peers in the same run."""
