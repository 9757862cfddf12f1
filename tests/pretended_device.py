"""A device that is none: tensors that say they are on an accelerator and compute on the CPU.

Code written for an accelerator runs on any machine under :func:`pretended_device`: an operation whose tensors are on
two devices is refused as CUDA refuses it, and what costs time there is counted: kernels launched, copies between host
and device (and which of them the host waits for, those of ordinary memory), and waits (a copy to the host, a value that
Python asks for, a shape that depends on values). The counts are of the operations as they reach the device; how long
they take is not known here. The memory of its tensors is counted too (:mod:`tests.pretended_traffic`), and steps are
recorded as graphs (:mod:`tests.pretended_graphs`), each of which is one launch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend
from torch.utils.weak import WeakTensorKeyDictionary

from tests.pretended_graphs import PretendedGraphs, Recording
from tests.pretended_traffic import Traffic

NAME = "pretended"
"""The device's type; its name for :func:`luckproof.resolve_device` is ``cuda``."""

_VIEWS = {
    "view", "_unsafe_view", "transpose", "slice", "select", "expand", "unsqueeze", "squeeze", "permute", "t", "mT",
    "as_strided", "detach", "alias", "split", "unbind", "diagonal", "_reshape_alias", "unfold", "split_with_sizes",
    "chunk", "narrow", "lift_fresh", "empty", "new_empty", "empty_like", "empty_strided", "new_empty_strided",
}  # fmt: skip
"""Operations that launch nothing: views, and memory without values."""

_WAITS = {"_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique_dim", "_unique2"}
"""Operations whose result the host needs before it can go on."""


class OnDevice(torch.Tensor):
    """A tensor of the pretended device; ``held`` has its values."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, real: torch.Tensor) -> OnDevice:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            real.size(),
            strides=real.stride(),
            storage_offset=real.storage_offset(),
            dtype=real.dtype,
            device=torch.device(NAME, 0),
        )
        made.held = real
        _traffic.hold(made, real)
        return made

    def __repr__(self, **_: Any) -> str:
        return f"OnDevice({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Makes operations without tensors of the device (those that make tensors) pass here too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


_traffic = Traffic()
_pinned = WeakTensorKeyDictionary()


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = func._schema.name.split("::")[1]
    leaves = tree_leaves((args, kwargs))
    ours = [leaf for leaf in leaves if isinstance(leaf, OnDevice)]
    asked = kwargs.get("device")
    there = asked is not None and torch.device(asked).type == NAME
    real = dict(kwargs)
    if asked is not None:
        real["device"] = torch.device("cpu")
    if real.get("pin_memory"):
        real["pin_memory"] = False
    if name in ("_to_copy", "copy_", "to"):
        return _copy(name, func, args, real, bool(ours), asked, there)
    if ours or there:
        _account(name, leaves, ours)
    out = _done(name, func, args, real, bool(ours) or there)
    if not ours and not there:
        if kwargs.get("pin_memory"):
            _pinned[out] = True
        return out
    known = {id(tensor.held): tensor for tensor in ours}
    return tree_map(lambda leaf: _wrapped(leaf, known), out)


def _copy(name: str, func: Any, args: Any, real: dict[str, Any], ours: bool, asked: Any, there: bool) -> Any:
    """A copy within a place or between the two."""
    source = isinstance(args[1 if name == "copy_" else 0], OnDevice)
    target = isinstance(args[0], OnDevice) if name == "copy_" else (source if asked is None else there)
    if source != target:
        _traffic.add("to_device" if target else "to_host", name)
        if target and not (args[0] in _pinned and real.get("non_blocking")):
            _traffic.add("pageable", name)
    elif target:
        _traffic.add("launches", name)
    out = _done(name, func, args, real, target)
    if name == "copy_":
        return args[0]
    return OnDevice(out) if target else out


def _done(name: str, func: Any, args: Any, kwargs: dict[str, Any], there: bool) -> Any:
    """Do an operation on the values, or note it down where one of the device is recorded."""
    args, kwargs = tree_map(_real, args), tree_map(_real, kwargs)
    if _traffic.recording is None or not there or name in _VIEWS:
        return func(*args, **kwargs)
    return _traffic.recording.run(func, args, kwargs)


def _account(name: str, leaves: list[Any], ours: list[OnDevice]) -> None:
    """Count one operation, or refuse it where its tensors are in two places."""
    strangers = [x for x in leaves if isinstance(x, torch.Tensor) and not isinstance(x, OnDevice) and x.dim()]
    if (
        ours and strangers and name.startswith("index")
    ):  # CUDA takes an index from the host, and copies it each time
        _traffic.add("to_device", f"{name} by an index on the host")
    elif ours and strangers:
        raise RuntimeError(f"{name}: expected all tensors on one device, got {NAME} and cpu")
    if name in _WAITS:
        _traffic.add("waits", name)
    elif name not in _VIEWS:
        _traffic.add("launches", name)


def _real(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, OnDevice) else leaf


def _wrapped(leaf: Any, known: dict[int, OnDevice]) -> Any:
    """What an operation in place returns is the tensor it was given."""
    if not isinstance(leaf, torch.Tensor) or isinstance(leaf, OnDevice):
        return leaf
    same = known.get(id(leaf))
    return OnDevice(leaf) if same is None else same


def _graphs(device: torch.device) -> PretendedGraphs:
    def begin(recording: Recording | None) -> None:
        _traffic.recording = recording

    return PretendedGraphs(begin, lambda: _traffic.add("launches", "graph"))


class _InTurn:
    """The interface of a thread pool; a dispatch mode is known to its own thread only."""

    def __init__(self, *_: Any) -> None: ...

    def __enter__(self) -> _InTurn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, function: Callable[[Any], Any], items: Any) -> Any:
        return map(function, items)


_HostGenerator = torch.Generator


class _Generator(_HostGenerator):
    """The device's numbers come from a generator of the host."""

    def __new__(cls, device: Any = "cpu") -> torch.Generator:  # type: ignore[misc]
        return _HostGenerator.__new__(_HostGenerator, device="cpu")


@contextmanager
def pretended_device(patch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """``cuda`` means the pretended device inside; what reaches it is counted in what this gives."""
    import nets.captured_steps
    import nets.deep.training.train
    import nets.specialization.memory
    import nets.two_layer.batches
    from luckproof import resolve_device

    def resolve(name: str | torch.device) -> str:
        return NAME if str(name).startswith(("cuda", NAME)) else resolve_device(name)

    for module in list(sys.modules.values()):
        if getattr(module, "resolve_device", None) is resolve_device and module.__name__ != "nets.devices":
            patch.setattr(module, "resolve_device", resolve)
    patch.setitem(nets.two_layer.batches.BLOCK_VALUES, NAME, nets.two_layer.batches.BLOCK_VALUES["cuda"])
    patch.setattr(nets.specialization.memory, "free_memory", lambda device: _traffic.free)
    patch.setitem(nets.captured_steps.GRAPH_MAKERS, NAME, _graphs)
    patch.setattr(nets.deep.training.train, "ThreadPoolExecutor", _InTurn)
    patch.setattr(torch, "Generator", _Generator)
    patch.setattr(torch, "inference_mode", torch.no_grad)  # wrapped tensors are not made for it
    _register()
    lifted = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    _traffic.counts.clear()
    _traffic.places.clear()
    _traffic.peak, _traffic.free = _traffic.held, Traffic.free
    try:
        with _Mode():
            yield _traffic
    finally:
        torch._C._set_only_lift_cpu_tensors(lifted)


_registered: list[str] = []


def _register() -> None:
    """Tell torch of the device's name, which it takes once a process."""
    if not _registered:
        _setup_privateuseone_for_python_backend(NAME)
        _registered.append(NAME)
