"""Many runs compared: leaderboards, sweeps, grids of protocols, published tables, regression benchmarks.

Plans come in, rows of tables go out; imports `running` and what is below.
"""
