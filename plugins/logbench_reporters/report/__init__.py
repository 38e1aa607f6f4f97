"""One page of runs to look at: figures as Vega-Lite specifications, tables, raw lines, and where all is from.

Records and stored scores come in; numbers, then figures, then sections, then one HTML file go out.
"""
