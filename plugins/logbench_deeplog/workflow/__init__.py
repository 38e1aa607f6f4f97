"""Workflows of a log (Du et al., CCS 2017, section 4): which keys are of one task, and in which order they come.

Sessions, and a key model's expectations or what came itself, go in; graphs, and where a unit left them, come out.
"""
