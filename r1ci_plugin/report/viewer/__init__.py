"""The viewer: every trajectory of a run in one HTML file that opens anywhere, without a network.

    records = read_records(Path("runs/eval"))
    write_page(Path("view.html"), pack(records), title="eval")

`pack.py` turns records into compressed blocks, `page.py` makes the file; what happens
in the browser is in `assets/viewer`. Left out: the command line (`cli/view.py`), figures over many runs (the report).
"""

from r1ci_plugin.report.viewer.pack import Packed, pack
from r1ci_plugin.report.viewer.page import write_page

__all__ = ["Packed", "pack", "write_page"]
