"""`firmware.services.osdp_keys`: a reader's key outlives a power cut, whenever it comes."""

import os
from pathlib import Path

import pytest

from firmware.services import osdp_keys, whole_files


def test_a_key_that_counts_has_its_name_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path)
    osdp_keys.begin(folder, "front-reader")
    synced: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        whole_files, "sync", lambda of: synced.append((str(of), sorted(os.listdir(of))))
    )
    osdp_keys.finish(folder, "front-reader")
    assert synced == [(folder, ["osdp-front-reader.key"])]
