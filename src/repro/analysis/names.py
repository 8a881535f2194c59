"""How benchmarks are ordered, grouped and called in tables and figures."""

# The columns of the paper's main table (RePro, arXiv 2512.01925), in its order.
IN_DOMAIN = ("aime24", "aime25", "math500", "lmb")
OUT_OF_DOMAIN = ("gpqa", "mbpp", "lcb")
BENCHMARKS = {
    "aime24": "AIME24",
    "aime25": "AIME25",
    "math500": "MATH500",
    "lmb": "LMB",
    "gpqa": "GPQA-D",
    "mbpp": "MBPP",
    "lcb": "LCB",
}
DOMAINS = {"in-domain": IN_DOMAIN, "out-of-domain": OUT_OF_DOMAIN}
