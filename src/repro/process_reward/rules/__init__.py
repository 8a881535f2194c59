"""Rules of process rewards, one a file: pure functions of what is known of a generation batch.

`rewards(known, settings)` returns process rewards at the cut points after the empty thought,
(G, C - 1), which are normalised and summed to the end like RePro's; or new outcome rewards, (G,).
"""

from importlib import import_module

from repro import methods
from repro.process_reward.rules import controls

RULES = {
    name: getattr(controls, name, None) or import_module(f"{__name__}.{name}").rewards
    for name in methods.RULES
}
WITHOUT_OBJECTIVE = ("length",)  # rules that read no objective, which then is not computed
