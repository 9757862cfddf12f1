"""Figure 6 (v4: also 18): biases of batch normalisation in trained VGG-style networks, by layer and weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dynamics.ode.progress import Progress
from dynamics.validation import number
from nets.checkpoints.batchnorm_biases import NormLayer, norm_layers
from nets.devices import available_cores
from nets.images.classifiers import TaskTensors, accuracy
from nets.images.vgg_layout import vgg_state_dict
from verify.figures.batchnorm_bias_picture import CAPTION, frame_shares, spread
from verify.figures.claims import ClaimCheck
from verify.figures.panels import number_label, ordered_colours
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.studies.image_study import ImageStudy, vgg_like

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

NAME = "luckmatters.bn-bias"


@dataclass(frozen=True)
class BiasStudy(ImageStudy):
    """VGG-style networks of hidden ``widths``, all trained at each of ``weight_decays``."""

    networks: int = 8
    widths: tuple[int, ...] = (16, 16, 16)
    weight_decays: tuple[float, ...] = (0.0, 0.0005, 0.005)

    def __post_init__(self) -> None:
        super().__post_init__()
        decays = [number("weight_decays", decay) for decay in self.weight_decays]
        if min(decays) < 0 or sorted(set(decays)) != decays:
            raise ValueError(f"weight_decays: expected numbers >= 0 in order, got {self.weight_decays!r}")
        if len(self.widths) < 2:
            raise ValueError(f"widths: expected at least two hidden layers, got {self.widths!r}")

    def check(self) -> None:
        """Raise ValueError where the images are missing or too small for the convolutions."""
        vgg_like(self.task(), self.widths)


def make(study: BiasStudy, device: str, progress: Progress) -> FigureResult:
    """Train every network at every weight decay; the first of each is kept as a checkpoint."""
    from nets.checkpoints.tensor_checksums import sealed

    images = study.task()
    architecture = vgg_like(images, study.widths)
    task = TaskTensors.of(images, architecture.inputs, device)
    layers: list[list[list[NormLayer]]] = []
    right, files = [], {}
    for index, decay in enumerate(study.weight_decays):
        advance = _part(progress, index, len(study.weight_decays))
        networks = study.teachers(architecture, task, decay, workers=available_cores(), progress=advance)
        states = [vgg_state_dict(networks, network) for network in range(study.networks)]
        layers.append([norm_layers(state) for state in states])
        right.append(accuracy(networks, task.test_x, task.test_labels))
        files[f"{NAME}.decay-{decay:g}.safetensors"] = sealed(states[0])
    data = dataset(study, images.name, layers, np.array(right))
    return FigureResult(picture(study, data, layers[-1]), data, checks(data), files)


def _part(progress: Progress, index: int, parts: int) -> Progress:
    return lambda done: progress((index + done) / parts)


def dataset(
    study: BiasStudy, name: str, layers: Sequence[Sequence[Sequence[NormLayer]]], right: np.ndarray
) -> xr.Dataset:
    """Shares over (weight_decay, network, layer); accuracy on test images over (weight_decay, network)."""
    import xarray as xr

    axes = ("weight_decay", "network", "layer")
    shares = [[[layer.share_negative for layer in network] for network in trained] for trained in layers]
    open_shares = [
        [[layer.open_shares.mean() for layer in network] for network in trained] for trained in layers
    ]
    return xr.Dataset(
        {
            "share_negative": (axes, np.array(shares)),
            "open_share": (axes, np.array(open_shares)),
            "accuracy": (axes[:2], right),
        },
        {
            "weight_decay": list(study.weight_decays),
            "layer": np.arange(1, len(study.widths) + 1),
            "width": ("layer", list(study.widths)),
        },
        {"images": name},
    )


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """The paper's two claims at the strongest weight decay, and whether weight decay brings the first about."""
    share = data.share_negative
    strongest, below = share.isel(weight_decay=-1), share.isel(weight_decay=-1, layer=slice(None, -1))
    found = [
        ClaimCheck.exceeding("most biases are negative", strongest.weighted(data.width).mean("layer"), 0.5),
        ClaimCheck.exceeding(
            "most are, below the last layer", below.weighted(data.width[:-1]).mean("layer"), 0.5
        ),
        ClaimCheck.exceeding(
            "the last layer has the largest share (last minus the largest of the others)",
            strongest.isel(layer=-1) - below.max("layer"),
            expected="not observed",
        ),
    ]
    if data.sizes["weight_decay"] > 1:
        gain = (below - share.isel(weight_decay=0, layer=slice(None, -1))).mean("layer")
        found.append(
            ClaimCheck.exceeding("weight decay makes more of them negative, below the last layer", gain)
        )
    return tuple(found)


def picture(study: BiasStudy, data: xr.Dataset, strongest: Sequence[Sequence[NormLayer]]) -> Figure:
    """Shares at every weight decay, and the spread of all networks' biases at the strongest."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 3.3))
    left, right = figure.subplots(1, 2)
    colours = ordered_colours(len(study.weight_decays))
    for index, (decay, colour) in enumerate(zip(study.weight_decays, colours, strict=True)):
        shares = data.share_negative.sel(weight_decay=decay)
        mean = shares.mean("network")
        reach = [mean - shares.min("network"), shares.max("network") - mean]
        x = data.layer + 0.08 * (index - (len(colours) - 1) / 2)  # so that the bars do not cover one another
        left.errorbar(
            x, mean, reach, color=colour, marker="o", ms=3.5, elinewidth=1, label=number_label(decay)
        )
    frame_shares(left, len(study.widths))
    left.set_title(f"{data.attrs['images']}, {study.networks} networks: mean and range")
    spread(right, [_joined(place, strongest) for place in range(len(study.widths))])
    right.set(ylabel="bias β", xlabel=CAPTION)
    right.set_title(f"all networks, weight decay {number_label(study.weight_decays[-1])}")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", title="weight\ndecay")
    return figure


def _joined(place: int, networks: Sequence[Sequence[NormLayer]]) -> NormLayer:
    """One layer of all networks as one layer."""
    parts = [layers[place] for layers in networks]
    scale, bias = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scale", "bias"))
    return NormLayer(parts[0].name, scale, bias)


NOTE = """The paper saw most biases negative, the top layers' most of all. In our small networks most are negative,
too, but the last normalisation, which the linear classifier reads directly, has none at any weight decay: the paper's
trend towards the top is not seen here. VGG has further layers between its last normalisation and the classifier; its
own weights were not at hand, `luckproof bn-bias` measures them where they are."""

FIGURE = PaperFigure(
    name=NAME,
    title="Share of negative BatchNorm biases by layer, in VGG-style networks trained on images",
    source=Source(LUCK_MATTERS, "Figure 6", "v4: Figures 6 and 18, on VGG11/13/16/19 with ImageNet weights"),
    settings={"quick": BiasStudy(), "full": BiasStudy(networks=16, widths=(64, 64, 64), teacher_epochs=40)},
    make=make,
    check=BiasStudy.check,
    note=NOTE,
)
