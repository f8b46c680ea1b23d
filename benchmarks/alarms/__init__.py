"""How often alarms are wrong, and how soon they come: the parts of ``bench_alarms``."""
