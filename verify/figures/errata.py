"""What figures made again show about the papers' own words on them: entries of the errata, by the figure's name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from verify.judging.vocabulary import Erratum, Impact

FIGURE_ERRATA: Mapping[str, Erratum] = MappingProxyType(
    {
        "luckmatters.bn-bias": Erratum(
            says="v4, section 4.1 and Figure 6: the majority of BatchNorm biases are negative, in "
            "particular those of the "
            "top layers.",
            true="In VGG-style networks on digits (8 networks, weight decay 0.005) the first half is "
            "observed: 64 % of all "
            "biases, 96 % below the last layer. The second is not: the layer that the linear classifier reads has no "
            "negative bias at all.",
            impact=Impact.SUBSTANCE,
            matters="Assumption 3 leans on negative biases. Sizes are for two cores, not VGG11 to 19 on ImageNet.",
        ),
        "luckmatters.real-data": Erratum(
            says="v4, section 5 and Figure 9: on CIFAR-10 ρ̄ grows and moves towards 1 in the lowest "
            "layers, and students "
            "exceed their teachers by about 1 %.",
            true="Not observed on a small real data set. On digits the lowest layer of fully connected "
            "students of four "
            "times the width ends at 0.72, below the 0.78 and 0.87 of the layers above it, and students equal their "
            "teachers' accuracy.",
            impact=Impact.SUBSTANCE,
            matters="The match from the bottom upwards is seen on Gaussian input; on real data it may need "
            "the paper's size.",
        ),
        "luckmatters.teacher-size": Erratum(
            says="v4, Figure 10a: BatchNorm hurts beside small teachers and definitely increases "
            "convergence speed beside "
            "large ones.",
            true="Beside large teachers it depends on the learning rate: at the authors' 0.05 students with "
            "BatchNorm cover "
            "less of the way to ρ̄ = 1 (by 0.031 ± 0.013), at 0.4, a rate that BatchNorm makes usable, more (by 0.102 ± "
            "0.009). Beside small teachers no difference is resolved at either rate.",
            impact=Impact.SUBSTANCE,
            matters="What speeds training up is the larger rate that BatchNorm allows.",
        ),
        "luckmatters.finite-data": Erratum(
            says="v4, Figure 10b: on a finite data set ρ̄ of ConvNets stalls.",
            true="Observed with BatchNorm (512 samples of 12 × 12). Without it the ConvNets learn so slowly "
            "on either kind "
            "of data that nothing is resolved.",
            impact=Impact.SUBSTANCE,
            matters="The claim stands where it could be resolved.",
        ),
        "luckmatters.over-parameterisation": Erratum(
            says="v4, Figure 12: more over-parameterisation makes ρ̄ higher and more stable up to 10×; 20× "
            "and 50× are slow.",
            true="Higher, and slower again at 20×, is observed. That the spread over teachers shrinks is "
            "not resolved with "
            "six of them.",
            impact=Impact.SUBSTANCE,
            matters="No theorem depends on it.",
        ),
        "luckmatters.theorem5": Erratum(
            says="v4, section 4.2: a 10-20-30 teacher; the values from which its weights are drawn are not "
            "given (section "
            "5.1 gives {−½, −¼, 0, ¼, ½} for the multilayer experiments).",
            true="The list used here is the multilayer one, by assumption; the authors' matrix program has "
            "the same five "
            "values written into it (docs/authors_programs.md).",
            impact=Impact.TYPOGRAPHICAL,
            matters="Nothing is known to depend on it.",
        ),
        "specialization.7": Erratum(
            says="Section 6, two-layer networks: teachers with weights from a list of values; the "
            "configuration published "
            "with the two-layer program does not give the list.",
            true="The list used here, {−1, −¾, …, ¾, 1}, is that of the authors' multilayer configuration; an earlier "
            "version of their two-layer program has the same nine values written into it (docs/authors_programs.md).",
            impact=Impact.TYPOGRAPHICAL,
            matters="The numbers of the two-layer experiments here are for that list.",
        ),
    }
)
"""Of two-layer experiments with teachers from a list, the figures beside these share their entry."""
