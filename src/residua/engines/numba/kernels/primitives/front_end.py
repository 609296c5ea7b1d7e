"""Numba's front end alone: from Python to LLVM's language, with no machine code made of it yet.

A kernel is put together from dozens of small functions, all of which end inside of it. Numba by itself
optimises each of them, makes machine code of each, and does so anew inside everything that calls it. Here a
function stays as it was lowered; the kernel that all of them have gone into is optimised, once
(`runtime.machine_code`).
"""

from __future__ import annotations

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering, NopythonRewrites


class _NoMachineCode:
    """A `Codegen` for which nothing lies at an address."""

    def __init__(self, codegen):
        self._codegen = codegen

    def __getattr__(self, name):
        return getattr(self._codegen, name)

    def set_env(self, env_name, env):
        """Nothing: no function of ours asks for its Python environment."""


class Lowered(JITCodeLibrary):
    """A function in LLVM's language, with all that it calls."""

    @property
    def codegen(self):
        """Numba's, of which a library asks where functions and their environments lie."""
        return _NoMachineCode(self._codegen)

    def finalize(self):
        """Take in what the function calls."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name):
        """None."""
        self._ensure_finalized()
        return 0


@register_pass(mutates_CFG=True, analysis_only=False)
class Lowering(NativeLowering):
    """Numba's, into a library of our kind."""

    _name = "residua_lowering"

    def run_pass(self, state):
        """Whether anything was changed."""
        if state.library is None:
            state.library = Lowered(state.targetctx.codegen(), state.func_id.func_qualname)
        return super().run_pass(state)


# What only arrays and loops over them need.
UNUSED = {NopythonRewrites}


class FrontEnd(CompilerBase):
    """Numba's passes without those that kernels have no use for."""

    def define_pipelines(self):
        """The one list of passes."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (Lowering, what) if step is NativeLowering else (step, what)
            for step, what in passes.passes
            if step not in UNUSED
        ]
        passes.finalize()
        return [passes]
