"""A vector of floats as a type of Numba's, with its operators: imported before a kernel is compiled."""

from __future__ import annotations

import operator

from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from residua.engines.numba.kernels.primitives.vector import VECTOR, WIDTH


class VectorType(types.Type):
    """WIDTH float32 numbers."""

    def __init__(self):
        super().__init__(name=f"float32x{WIDTH}")


vector = VectorType()


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    """A vector lives in one register."""

    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, VECTOR)


def _operator(operation, emit):
    @infer_global(operation)
    class Template(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and args[0] == vector and args[1] == vector:
                return signature(vector, vector, vector)
            return None

    @lower_builtin(operation, vector, vector)
    def lower(context, builder, sig, args):
        return emit(builder, args[0], args[1])


_operator(operator.add, lambda b, x, y: b.fadd(x, y))
_operator(operator.sub, lambda b, x, y: b.fsub(x, y))
_operator(operator.mul, lambda b, x, y: b.fmul(x, y))
_operator(operator.truediv, lambda b, x, y: b.fdiv(x, y))
