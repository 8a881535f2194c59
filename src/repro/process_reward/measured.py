"""What is known of responses when their process rewards are made."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Measured:
    """B responses, none with more than C cut points; a process reward is a function of this.

    A rule of process rewards is given the responses of all processes, with all fields filled.
    """

    cuts: Tensor  # tokens kept at each cut point, (B, C): 0 first, -1 behind a row's last
    objective: Tensor  # the surrogate objective J there, (B, C) in float64, 0 behind the last
    entropies: Tensor  # of the policy at the token after each cut, (B, C) in nats, 0 at the end
    lengths: Tensor  # tokens of each response, (B,)
    outcome: Tensor | None = None  # outcome reward of each response, (B,), once it is known
    num_generations: int = 1  # so many consecutive responses answer one prompt
    step: int = 0  # optimizer steps so far, to seed what is drawn

    @property
    def rewarded(self) -> Tensor:
        """Which cut points bear a reward, (B, C - 1): all of a row but the empty thought."""
        return self.cuts[:, 1:] >= 0

    @property
    def probability(self) -> Tensor:
        """The answer's probability at each cut point, exp(J), (B, C): a mean over its tokens."""
        return self.objective.exp()
