"""Words by which a template names a failure."""

from __future__ import annotations

import re

# A retry is none: what is tried again mostly succeeds, and logs warn of it in normal units.
FAILURE = re.compile(
    r"(?i)\b(?:\w*errors?|\w*exceptions?|fail\w*|fatal|panic\w*|crit\w*|emerg\w*|alert|sever\w*|refused|denied|"
    r"timeouts?|timed out|unreachable|unavailable|abort\w*|lost|corrupt\w*|crash\w*|kill\w*|oom|out of memory|"
    r"segfault|unable|cannot|reject\w*|reset|invalid|5[0-9]{2})\b"
)
