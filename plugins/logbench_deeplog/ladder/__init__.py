"""`logbench ladder`: how much each step of the optimisation report, and each of ours, is worth on this machine.

Prepared sessions and a configuration come in, timed steps go out; imports DeepLog and `logbench`'s public names.
"""
