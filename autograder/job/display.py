"""What a cell prints and shows, kept in the order in which it came, within bounds.

Outputs are kept as nbformat has them, untrusted: the coordinator cleans them.
"""

import io
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from traitlets import Any as AnyTrait

MOST_TEXT = 2**20  # characters of printed text kept of one cell
MOST_OUTPUTS = 500


class Outputs:
    """The outputs of one cell in the order in which they came, with a bound on their size."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.room = MOST_TEXT
        self.dropped = 0

    def text(self, name: str, text: str) -> None:
        """Add printed text; what goes beyond the bound is counted and dropped."""
        kept = text[: self.room]
        self.dropped += len(text) - len(kept)
        self.room -= len(kept)
        if not kept:
            return
        last = self.items[-1] if self.items else {}
        if last.get("output_type") == "stream" and last.get("name") == name:
            last["parts"].append(kept)
        elif len(self.items) < MOST_OUTPUTS:
            self.items.append({"output_type": "stream", "name": name, "parts": [kept]})

    def add(self, output: dict[str, Any]) -> None:
        """Add a figure, a table or a result."""
        if len(self.items) < MOST_OUTPUTS:
            self.items.append(output)

    def take(self) -> list[dict[str, Any]]:
        """Return what has come and begin anew."""
        items, dropped = self.items, self.dropped
        self.__init__()  # type: ignore[misc]
        for item in items:
            if item["output_type"] == "stream":
                item["text"] = "".join(item.pop("parts"))
        if dropped:
            note = f"\n[{dropped} more characters were printed and not kept]\n"
            items.append({"output_type": "stream", "name": "stderr", "text": note})
        return items


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell."""

    def __init__(self, outputs: Outputs, name: str) -> None:
        self.outputs, self._name = outputs, name

    encoding = "utf-8"
    errors = "replace"

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self._name == "stdout" else 2

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.outputs.text(self._name, str(text))
        return len(text)


class Publisher(DisplayPublisher):
    """Keep what is displayed."""

    outputs = AnyTrait()

    def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
        self.outputs.add({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.items.clear()


class Hook(DisplayHook):
    """Keep the value of a cell's last line."""

    outputs: Outputs

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.outputs.add(
            {
                "output_type": "execute_result",
                "data": format_dict,
                "metadata": md_dict or {},
                "execution_count": 1,
            }
        )

    def update_user_ns(self, result: Any) -> None:
        # no history of results: it would keep every large array alive
        self.shell.user_ns["_"] = result

    def finish_displayhook(self) -> None:
        self._is_active = False
