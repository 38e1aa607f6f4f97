"""A leaderboard as files that any web server can offer: pages, records, scores, a feed.

Records of several folders come in; tables of one data set and protocol each, then pages, go out.
"""
