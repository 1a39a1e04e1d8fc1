"""Somebody's data as files: whole rows, whole documents, none too large."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from cogs.exporting import parts

HEAD = {"user_id": "7"}
ROWS = st.dictionaries(
    st.sampled_from(["turns", "messages", "attachments"]),
    st.lists(st.fixed_dictionaries({"id": st.text(max_size=20), "content": st.text(max_size=400)}), min_size=1),
    max_size=3,
)


@given(data=ROWS, limit=st.integers(min_value=6_000, max_value=20_000))
def test_all_rows_are_there_once_in_documents_that_fit(data, limit):
    """Put together again, the parts are what went in, in its order, and each keeps to the limit."""
    documents = parts(data, HEAD, limit)
    assert all(len(document) <= limit for document in documents)
    together: dict[str, list[object]] = {}
    for number, document in enumerate(map(json.loads, documents), 1):
        assert (document["user_id"], document["part"], document["parts"]) == ("7", number, len(documents))
        for table, rows in document["data"].items():
            together.setdefault(table, []).extend(rows)
    assert together == data


def test_a_file_that_fits_nowhere_is_named_by_its_size():
    """The row stays, without the bytes."""
    row = {"name": "big", "content": {"base64": base64.b64encode(b"x" * 9_000).decode()}}
    [document] = parts({"attachments": [row]}, HEAD, 8_000)
    [left] = json.loads(document)["data"]["attachments"]
    assert left == {"name": "big", "content": {"left_out_bytes": 9_000}}


def test_words_can_be_read_in_the_file():
    """Chinese stands there as Chinese, not as numbers."""
    [document] = parts({"messages": [{"content": "你好"}]}, HEAD, 8_000)
    assert "你好" in document.decode()
