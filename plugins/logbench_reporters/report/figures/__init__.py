"""One file a figure: a pure function of rows or frames gives a `Figure`, a Vega-Lite specification as a dict."""
