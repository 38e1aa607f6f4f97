"""DeepLog's second model (Du et al., CCS 2017, section 3.3): the values that an entry of a key carries.

Sessions with parameters and times come in, levels of entries go out: above 1 where a value is not as expected.
"""
