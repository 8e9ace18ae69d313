"""The viewer: every trajectory of a run in one HTML file that opens anywhere, without a network.

    records = read_records(find_files(Path("runs/eval")))
    write_page(Path("view.html"), pack(records), title="eval")

`source.py` finds and reads records, `pack.py` turns them into compressed blocks, `page.py` makes the file; what happens
in the browser is in `assets/viewer`. Left out: the command line (`cli/view.py`), figures over many runs (the report).
"""

from r1ci_plugin.report.viewer.pack import Packed, pack
from r1ci_plugin.report.viewer.page import write_page
from r1ci_plugin.report.viewer.source import NoRecords, find_files, read_records

__all__ = ["NoRecords", "Packed", "find_files", "pack", "read_records", "write_page"]
