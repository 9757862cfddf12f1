"""A comparison in words, line by line."""

from __future__ import annotations

from verify.comparisons.comparison import Comparison
from verify.comparisons.late_rates import LateRates
from verify.comparisons.windows import Agreement, Judgement


def told(found: Comparison) -> list[str]:
    """How far apart networks and flow end, the late rates, how well the speed is known, and the verdict."""
    mean, error = found.deviation
    return [
        "at the end, mean of log(‖sin θ‖ of a network / of its flow): "
        f"{mean[-1]:+.3g} ± {error[-1]:.2g}, of which steps without noise make {found.deviation_of_descent[-1]:+.3g}",
        *_late(found.late, found.settings["lr"]),
        *_speeds(found.judgement),
        _verdict(found.judgement),
    ]


def _late(late: LateRates, lr: float) -> list[str]:
    if late.networks is None or late.window is None:
        return [f"late rate: not known yet ({late.missing})"]
    error = "" if late.standard_error is None else f" ± {late.standard_error:.2g}"
    lines = [
        f"late rate of the networks: {late.networks:.5g}{error} on t in [{late.window[0]:.4g}, {late.window[1]:.4g}]"
    ]
    if late.predicted is None or late.discrete is None:
        return [*lines, f"late rate predicted: none ({late.missing})"]
    return [
        *lines,
        f"late rate predicted: {late.predicted:.5g} = {late.discrete:.5g} for steps of lr {lr:g} (−log(1 − lr λ)/lr, "
        f"λ = {late.spectral:.5g}) {late.sampling:+.2g} by sampling",
    ]


def _speeds(judgement: Judgement) -> list[str]:
    whole = judgement.whole
    if not whole.looked_at:
        return [f"speed along the flow: {whole.innovations.count} steps are too few to tell"]
    return [
        f"speed along the flow, in units of the flow's: {whole.speed:.4f} ± {whole.speed_error:.2g} over the run; "
        f"an error of {judgement.half_width(whole):.2g} there, of {judgement.resolved:.2g} in a window, would be seen",
    ]


def _verdict(judgement: Judgement) -> str:
    chance = f"level {judgement.level:g} for {judgement.comparisons} comparisons, critical z {judgement.critical:.3g}"
    first = judgement.first_disagreement
    if first is not None:
        where, z = first.worst
        when = (
            "over the whole run only"
            if first is judgement.whole
            else f"first between t = {first.start:.4g} and {first.end:.4g}"
        )
        return f"disagree: {when}, {where}, by {z:+.3g} standard errors ({chance})"
    if judgement.verdict is Agreement.UNRESOLVED:
        return (
            f"unresolved: nothing disagrees, but an error of {judgement.resolve:g} in the speed could hide in some "
            f"window; more networks, larger batches or more steps would show it ({chance})"
        )
    return f"agree: every step is what the flow says, within sampling ({chance})"
