"""Muon: momentum whose updates are made orthogonal, for the matrices inside the blocks; AdamW for everything else.

Keller Jordan's algorithm (https://kellerjordan.github.io/posts/muon/) in float32, as CPUs want it; the fused
query-key-value matrix of GPT-2 is treated as three. For a small model it needs markedly fewer tokens than AdamW.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly (singular values between 0.7 and 1.2), by Newton-Schulz iteration.

    Args:
        matrix: [..., rows, columns].
        steps: Iterations of the quintic.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.size(-2) > matrix.size(-1)
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.mT if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """Muon and AdamW in one optimizer; parameter groups with ``muon=True`` hold the matrices.

    Args:
        model: A GPT-2 whose parameters are divided between the two.
        lr: Step size of the matrices, in units of their spectral norm.
        adam_lr: Step size of embeddings, norms and biases.
        momentum: Of the matrices.
        betas: Of AdamW.
    """

    def __init__(
        self,
        model: nn.Module,
        lr: float = 0.02,
        adam_lr: float = 2e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
    ) -> None:
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            inside = ".h." in name and parameter.ndim == 2
            (matrices if inside else others).append(parameter)
        groups = [
            {"params": matrices, "lr": lr, "muon": True},
            {"params": others, "lr": adam_lr, "muon": False},
        ]
        super().__init__([group for group in groups if group["params"]], {"momentum": momentum, "betas": betas})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._muon if group["muon"] else self._adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    update(parameter, parameter.grad, group)
        return loss

    def _muon(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(state["momentum"], group["momentum"])
        rows, columns = direction.shape  # GPT-2's Conv1D: input x output
        parts = 3 if columns == 3 * rows else 1
        stacked = direction.view(rows, parts, columns // parts).transpose(0, 1)
        step = orthogonalised(stacked).transpose(0, 1).reshape(rows, columns)
        parameter.add_(step, alpha=-group["lr"] * max(1.0, columns / parts / rows) ** 0.5)

    def _adam(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["count"] = torch.zeros(())
            state["mean"] = torch.zeros_like(parameter)
            state["square"] = torch.zeros_like(parameter)
        first, second = group["betas"]
        state["count"] += 1
        count = float(state["count"])
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient * gradient, 1 - second)
        scale = (state["square"] / (1 - second**count)).sqrt_().add_(1e-8)
        parameter.addcdiv_(state["mean"], scale, value=-group["lr"] / (1 - first**count))
