"""``luckproof bn-bias``: the share of negative BatchNorm biases in anyone's checkpoint, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.command.common_options import Json, Quiet
from verify.command.errors import boundary
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import Plot, check_files, plot_format
from verify.command.surroundings import on_one_line

if TYPE_CHECKING:
    from nets.checkpoints.batchnorm_biases import NormLayer
    from nets.checkpoints.found_networks import FoundNetworks

    Networks = Mapping[str, Sequence[NormLayer]]

FORMAT = "luckproof bn-bias 1"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="bn-bias", cls=PlainCommand)(bn_bias)


def bn_bias(
    checkpoints: Annotated[
        list[Path],
        typer.Argument(help="State dicts: .pth and the like, or .safetensors.", metavar="CHECKPOINT"),
    ],
    plot: Plot = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Share of negative BatchNorm biases, by layer and in all, of any network's weights.

    The paper's claim (Luck Matters, Fig. 6), on VGG11/13/16/19 with ImageNet weights: most are negative, the top
    layers' most of all. "open" is the share of inputs on which a ReLU right behind the layer is open, for normal
    pre-activations. Files are read without running code that they may hold.

    Exit code 0: done; 2: bad input, a damaged file or one that could run code.

    Examples:
      luckproof bn-bias vgg16_bn.pth resnet.safetensors --plot biases.png
      luckproof bn-bias vgg16_bn.pth --json - | jq .networks
    """
    with output(quiet, json) as voice:
        run(voice, checkpoints, plot)


def run(voice: Output, checkpoints: Sequence[Path], plot: Path | None) -> None:
    """Read the files, write what was asked for and print the shares."""
    with boundary():
        _check_outputs(voice, checkpoints, plot)
        networks: dict[str, Sequence[NormLayer]] = {}
        remarks: dict[str, list[str]] = {}
        for label, path in _labels(checkpoints).items():
            rows, found = _layers(label, path)
            networks |= rows
            remarks[list(rows)[-1]] = _remarks(found)
    with boundary():
        _write(voice, networks, remarks, plot)
    for label, layers in networks.items():
        voice.result(*table(label, layers))
        for remark in remarks.get(label, ()):
            voice.hint(f"  {on_one_line(remark)}")


def _check_outputs(voice: Output, checkpoints: Sequence[Path], plot: Path | None) -> None:
    """Refuse outputs that cannot be written, or that would overwrite an input or one another."""
    from dynamics.files.places import same_place

    check_files(voice, plot=plot)
    for option, path in (("--plot", plot), ("--json", voice.json_file)):
        if path is not None and any(same_place(path, other) for other in checkpoints):
            raise ValueError(f"{option}: {str(path)!r} would overwrite a file that is read")


def _labels(checkpoints: Sequence[Path]) -> dict[str, Path]:
    """Every file under its name, or under its whole path where names repeat."""
    short = [path.name for path in checkpoints]
    labels = short if len(set(short)) == len(short) else [str(path) for path in checkpoints]
    return dict(zip(labels, checkpoints, strict=True))


def _layers(label: str, path: Path) -> tuple[dict[str, Sequence[NormLayer]], FoundNetworks]:
    """The normalisations of each network of a checkpoint, and what was found in it; errors name the file.

    A network that is not all of its file is called by its place in it.
    """
    from nets.checkpoints.batchnorm_biases import norm_layers
    from nets.checkpoints.found_networks import networks_in

    found = networks_in(path)
    try:
        layers: dict[str, Sequence[NormLayer]] = {
            f"{label}, {network.place}" if network.place else label: norm_layers(network.tensors)
            for network in found.taken
        }
    except ValueError as error:
        said = str(error).removeprefix("state: ")  # the file says it for the state that was in it
        raise ValueError(f"{path}: {said}") from error
    return layers, found


def _remarks(found: FoundNetworks) -> list[str]:
    """What is to be said of a file beside its numbers."""
    averages = ", ".join(found.left_out)
    return [
        *([f"left out, running averages of a network: {averages}"] if averages else []),
        *([] if found.verified else ["the file carries no checksum: damage to it could not be seen"]),
    ]


def table(label: str, layers: Sequence[NormLayer]) -> list[str]:
    """The lines printed for one network."""
    names = [on_one_line(layer.name) for layer in layers]
    width = max(len("layer"), *map(len, names))
    head = (
        f"{on_one_line(label)}: {_nodes(layers):,} BatchNorm biases in {len(layers)} layers, "
        f"{_share(layers):.1%} negative"
    )
    if len(layers) > 1:
        lower, upper = layers[: len(layers) // 2], layers[-(len(layers) // 2) :]
        head += f" (lower half of the layers {_share(lower):.1%}, upper half {_share(upper):.1%})"
    return [head, f"  {'layer':<{width}}  nodes  negative   share  mean bias   open"] + [
        f"  {name:<{width}}  {layer.nodes:>5}  {layer.negative:>8}  {layer.share_negative:>6.1%}"
        f"  {layer.bias.mean():>9.4f}  {layer.open_shares.mean():>5.1%}"
        for name, layer in zip(names, layers, strict=True)
    ]


def _nodes(layers: Sequence[NormLayer]) -> int:
    return sum(layer.nodes for layer in layers)


def _share(layers: Sequence[NormLayer]) -> float:
    return sum(layer.negative for layer in layers) / _nodes(layers)


def record(layers: Sequence[NormLayer]) -> dict[str, Any]:
    """One network's numbers as JSON has them."""
    return {
        "nodes": _nodes(layers),
        "negative": sum(layer.negative for layer in layers),
        "share_negative": _share(layers),
        "layers": [
            {
                "name": layer.name,
                "nodes": layer.nodes,
                "negative": layer.negative,
                "share_negative": layer.share_negative,
                "mean_bias": float(layer.bias.mean()),
                "mean_open_share": float(layer.open_shares.mean()),
            }
            for layer in layers
        ],
    }


def _write(voice: Output, networks: Networks, remarks: Mapping[str, list[str]], plot: Path | None) -> None:
    """The numbers and the picture, as far as they were asked for."""
    from dynamics.files.writing import write_atomically
    from dynamics.ode.results.attributes import provenance

    voice.write_json(
        {
            "format": FORMAT,
            **provenance(),
            "networks": {
                label: {**record(layers), "remarks": remarks.get(label, [])}
                for label, layers in networks.items()
            },
        }
    )
    if plot is not None:
        from verify.figures.batchnorm_bias_picture import picture
        from verify.figures.style import rendered

        write_atomically(plot, rendered(lambda: picture(networks), plot_format(plot)), "--plot")
        voice.written("--plot", plot)
