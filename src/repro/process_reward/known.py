"""What a rule of process rewards is given: all that is known of a generation batch."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Known:
    """The G responses of all processes; `num_generations` consecutive ones answer one prompt.

    Valid columns come first; what the others hold must not matter. Column 0 is the empty thought.
    """

    outcome: Tensor  # outcome reward, (G,)
    lengths: Tensor  # tokens of the response, (G,)
    cuts: Tensor  # cut points, (G, C): the first so many tokens; -1 behind the last
    objective: Tensor  # J there, (G, C): mean log-probability of the answer in nats; 0 behind
    entropies: Tensor  # of the policy at the first token after each cut point, (G, C), in nats
    num_generations: int
    budget: int  # tokens that a response may have
    step: int  # optimizer steps so far, to draw from

    @property
    def valid(self) -> Tensor:
        """True at cut points, (G, C)."""
        return self.cuts >= 0

    def groups(self, values: Tensor) -> Tensor:
        """Return (G,) values as (prompts, num_generations)."""
        return values.reshape(-1, self.num_generations)
