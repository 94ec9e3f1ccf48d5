"""What `init` says: which experiment runs, and where it is saved; in a notebook also how it ends.

In a notebook it is shown as part of the cell, since Jupyter paints what stands on standard error like an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from keepsake._model.ids import short_id
from keepsake._model.notebook import Notebook
from keepsake._tracking.notebook import can_show, show
from keepsake.notices import first_time, notice

_BOX = "border-left:3px solid #3a86c8;padding:2px 10px;margin:2px 0;line-height:1.5"
_ENDS = "It ends with stop(), with its with block, with the next keepsake.init(), or with the kernel."


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What there is to say of an experiment that begins."""

    experiment_id: str
    name: str | None = None
    """What its user calls it."""
    where: str
    """Where it is saved."""
    remark: str = ""
    """What is said once in a process."""
    stopped: Sequence[str] = ()
    """Ids of the experiments that were stopped for it."""
    notebook: Notebook | None = None

    def make(self) -> None:
        """Say it, in the cell or on standard error."""
        remark = self.remark if self.remark and first_time(self.remark) else ""
        if can_show() and show(self.html(remark), self.text(remark)):
            return
        lines = [remark] if remark else []
        lines += [f"experiment {short_id(one)} is finished: a notebook has one at a time" for one in self.stopped]
        for line in [*lines, f"experiment {short_id(self.experiment_id)} is saved to {self.where}"]:
            notice(line)

    def text(self, remark: str) -> str:
        """Return it as lines of text for a notebook."""
        name = f" {self.name!r}" if self.name else ""
        head = f"keepsake: experiment {short_id(self.experiment_id)}{name} begins here, saved to {self.where}"
        return "\n".join([head, *self._details(remark)])

    def html(self, remark: str) -> str:
        """Return it as HTML for a notebook."""
        name = f" {escape(self.name)}" if self.name else ""
        head = f"<b>Experiment {short_id(self.experiment_id)}{name}</b> begins here, saved to {escape(self.where)}"
        details = "".join(f"<br><small>{escape(detail)}</small>" for detail in self._details(remark))
        return f'<div style="{_BOX}">{head}{details}</div>'

    def _details(self, remark: str) -> list[str]:
        details = [_ENDS]
        count = len(self.notebook.cells) if self.notebook is not None else 0
        if count:
            cells = "This cell is" if count == 1 else f"The {count} cells that ran so far are"
            details[0] += f" {cells} saved with it."
        if self.stopped:
            ids = ", ".join(map(short_id, self.stopped))
            details.append(f"A notebook has one experiment at a time: {ids} is finished now.")
        return [*details, remark] if remark else details
