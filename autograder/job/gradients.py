"""Gradients across the two processes: a tensor that a student's function computed can go backward.

The graph stays where it was made. The checker's copy of the result hangs on a node whose backward
pass asks the student's process to go on, with the gradients of what the checker handed in as the
answer. Second derivatives do not cross.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from autograder.job.arrays import module


class Graph:
    """A result and what it may depend on, kept in the student's process for the backward pass."""

    def __init__(self, result: Any, inputs: list[Any]) -> None:
        self.result, self.inputs = result, inputs

    def backward(self, gradient: Any, wanted: list[Any], accumulate: bool) -> list[Any]:
        """Return the gradients of `wanted`; other leaves collect theirs if asked to."""
        torch = module("torch")
        if not accumulate:
            wanted = [tensor for tensor in wanted if tensor.requires_grad]
            return list(
                torch.autograd.grad(
                    self.result, wanted, gradient, retain_graph=True, allow_unused=True
                )
            )
        leaves = [tensor for tensor in wanted if tensor.is_leaf]
        before = [tensor.grad for tensor in leaves]
        for tensor in leaves:
            tensor.grad = None
        try:
            self.result.backward(gradient, retain_graph=True)
            return [tensor.grad if tensor.is_leaf else None for tensor in wanted]
        finally:
            for tensor, grad in zip(leaves, before, strict=True):
                tensor.grad = grad


def has_graph(value: Any) -> bool:
    """Tell whether a value is a tensor that was computed from what requires gradients."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return False
    return bool(value.requires_grad and not value.is_leaf)


def needing(values: Iterable[Any]) -> list[Any]:
    """List the tensors among values that require a gradient."""
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    return [v for v in values if isinstance(v, torch.Tensor) and v.requires_grad]


_NODE: list[Any] = []


def hang(link: Any, graph: Any, value: Any, inputs: list[Any]) -> Any:
    """Return the tensor `value` as the result of a node that goes backward in the other process."""
    torch = module("torch")
    if not _NODE:
        _NODE.append(_make_node(torch))
    anchor = torch.zeros((), requires_grad=True)
    return _NODE[0].apply(link, graph, [value], inputs, anchor, *inputs)


def _make_node(torch: Any) -> Any:
    class Elsewhere(torch.autograd.Function):
        """The part of a graph that lies in the student's process."""

        @staticmethod
        def forward(ctx: Any, link: Any, graph: Any, value: Any, inputs: Any, *_: Any) -> Any:
            ctx.link, ctx.graph, ctx.inputs = link, graph, inputs
            return value[0]

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, gradient: Any) -> Any:
            # autograd.grad() must leave .grad alone; then the anchor's node is not to be run
            accumulate = torch._C._will_engine_execute_node(ctx.next_functions[0][0])
            places = [i for i, tensor in enumerate(ctx.inputs) if ctx.needs_input_grad[5 + i]]
            wanted = [ctx.inputs[i] for i in places]
            found = ctx.link.request("backward", ctx.graph, gradient, wanted, accumulate)
            grads: list[Any] = [None] * len(ctx.inputs)
            for i, grad in zip(places, found, strict=True):
                if grad is not None and (
                    not isinstance(grad, torch.Tensor) or grad.shape != ctx.inputs[i].shape
                ):
                    raise TypeError("a gradient has another shape than its tensor")
                grads[i] = grad
            return None, None, None, None, None, *grads

    return Elsewhere
