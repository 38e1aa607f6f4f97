"""What authors implement and users ask for: hooks, components, contracts, protocol, plan and record.

Holds no logic of a run; imports only `data` and `base`.
"""
