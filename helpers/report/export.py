"""JupyterLab's export menu, and ``jupyter nbconvert --to claims``: a plain page whose solutions are folded."""

from pathlib import Path

from nbconvert.exporters import HTMLExporter
from traitlets import default


class ClaimsExporter(HTMLExporter):
    """nbconvert's own page; solutions and cells whose code the notebook hides are folded."""

    export_from_notebook = "HTML, solutions folded"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "claims"

    @default("extra_template_basedirs")
    def _default_extra_template_basedirs(self) -> list[str]:
        return [*super()._default_extra_template_basedirs(), str(Path(__file__).with_name("templates"))]
