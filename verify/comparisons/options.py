"""A comparison by plain options: those of a training, and how sure the verdict is to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dynamics.ode.progress import Progress
from dynamics.options import option
from dynamics.validation import number
from nets.two_layer.training_options import TwoLayerTraining

if TYPE_CHECKING:
    from verify.comparisons.comparison import Comparison


@dataclass(frozen=True)
class TwoLayerComparison(TwoLayerTraining):
    """A flow beside networks that start where it does.

    Raises ValueError or TypeError, naming the option, on values that do not go together.
    """

    recorded_as: ClassVar[str] = "comparison"

    level: float = option(1e-3, "Chance of disagreement where networks do follow the flow.")
    resolve: float = option(0.1, "Relative error in the flow's speed that must have been visible for agree.")

    def __post_init__(self) -> None:
        super().__post_init__()
        number("level", self.level, positive=True, below=1)
        number("resolve", self.resolve, positive=True)
        for name in ("momentum", "weight_decay"):
            if getattr(self, name):
                raise ValueError(
                    f"{name}: expected 0 in a comparison, which judges single steps of plain SGD,"
                    f" got {getattr(self, name):g}"
                )
        if self.products != "own":
            raise ValueError(
                f"products: expected own in a comparison, whose networks are in float64, got {self.products}"
            )

    def compared(self, *, progress: bool | Progress = False) -> Comparison:
        """Make the comparison; see :func:`verify.compare`."""
        from verify.comparisons.comparison import compare

        return compare(
            self.flow_on,
            self.problem(),
            lr=self.lr,
            batch_size=self.batch_size,
            steps=self.steps,
            networks=self.networks,
            seed=self.training_seed,
            device=self.device,
            points=self.points,
            level=self.level,
            resolve=self.resolve,
            progress=progress,
        )
