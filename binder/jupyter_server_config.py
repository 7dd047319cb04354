"""JupyterLab as `make lab` and Binder start it: notebooks work in the folder it was started in.

So `runs/`, `data/` and `reports/` are the same for a lesson and for the command line.
"""

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager


class KernelsInTheRoot(AsyncMappingKernelManager):
    """Starts every kernel in the server's root folder, wherever its notebook lies."""

    def cwd_for_path(self, path, **more):
        return super().cwd_for_path("", **more)


c.ServerApp.kernel_manager_class = KernelsInTheRoot  # noqa: F821  Jupyter defines `c`
c.LabApp.news_url = None  # noqa: F821  the question about news covers the first cells
