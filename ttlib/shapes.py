"""Shapes in signatures: ``Float[Tensor, "B T D"]``.

The axes, everywhere in this package: ``B`` batch, ``T`` query or target length, ``S`` source or key
length, ``D`` d_model, ``H`` heads, ``K`` d_head, ``F`` d_ff, ``V`` vocabulary, ``N`` tokens.

`jaxtyping` makes these annotations checkable, and the tests check them. A reader who only runs the
library (in Colab, say) does not need it: then the annotations mean plain ``Tensor``.
"""

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
else:
    try:
        from jaxtyping import Bool, Float, Int
    except ImportError:

        class _Unchecked:
            def __class_getitem__(cls, item: object) -> type[Tensor]:
                return Tensor

        Bool = Float = Int = _Unchecked

__all__ = ["Bool", "Float", "Int", "Tensor"]
