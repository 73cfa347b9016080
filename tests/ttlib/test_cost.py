"""What a call costs: kept bytes by hand, times that are at least plausible."""

import time

import pytest
import torch
from torch import nn

from ttlib.errors import InputError
from ttlib.models.cost import bytes_kept, seconds_per_call
from ttlib.nn.attention import attention, fused_attention


def test_kept_bytes_by_hand():
    x = torch.randn(10, 3, requires_grad=True)
    assert bytes_kept(lambda x: x.exp(), x) == 10 * 3 * 4  # its own output
    assert bytes_kept(lambda x: x * x, x) == 10 * 3 * 4  # x, kept for both factors, counted once
    assert bytes_kept(lambda x: x + 1, x) == 0


def test_nothing_is_kept_without_a_gradient():
    assert bytes_kept(lambda x: x.exp(), torch.randn(10)) == 0


def test_parameters_count():
    layer = nn.Linear(3, 5, bias=False)
    assert bytes_kept(layer, torch.randn(2, 3)) == 2 * 3 * 4  # only the input is needed for the weight's gradient
    assert bytes_kept(layer, torch.randn(2, 3, requires_grad=True)) == (2 * 3 + 3 * 5) * 4


def test_the_formula_keeps_the_matrix_and_the_fused_kernel_does_not():
    def kept(function, n):
        q, k, v = torch.randn(3, 1, 1, n, 8).requires_grad_()
        return bytes_kept(function, q, k, v)

    assert kept(attention, 256) - kept(attention, 128) > 4 * (256**2 - 128**2)
    assert kept(fused_attention, 256) == 2 * kept(fused_attention, 128)


def test_seconds():
    assert seconds_per_call(time.sleep, 0.02, at_least=0.05) == pytest.approx(0.02, rel=0.5)
    with pytest.raises(InputError, match=r"at_least: got 0\.0, need a positive number of seconds"):
        seconds_per_call(time.sleep, 0.02, at_least=0.0)
