"""What the ledger promises when things fail, tried with real processes, real databases and real files.

Each fault is tried and a figure taken of what came of it; and each is tried again with one part broken on purpose, its
control, of which the same check must say that the promise does not hold. A control that passes means that the check is
blind. `./run faults` prints both side by side and exits 1 unless every promise holds and every control fails.

`kill`: `kill -9` of the appending process; `stop`: immediate stops of the PostgreSQL server; `disk`: a full disk, under
the database and under the evidence (needs root, to mount a small one); `processes`: several append at once; `key`: one
key asked a hundred times at once; `rebuild`: a crash at every step of a rebuild; `backup`: copies taken while others
append, and the start with an older copy than what was signed. A power cut is not among them: what the operating system
had taken outlives all of these, so that nothing here shows whether a disk keeps what it says that it has synced.
"""
