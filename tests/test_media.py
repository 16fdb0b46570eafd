"""What a file is, by its own bytes, and how large a picture is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import (
    JFIF,
    LOSSLESS,
    LOSSY,
    SCAN,
    SCENE,
    SOUND,
    avif,
    box,
    chunk,
    element,
    exif,
    extended,
    film,
    jpeg,
    png,
    segment,
    track,
    webm,
    webp,
)

from chat.rules.media import INLINE, MEGAPIXELS, UNKNOWN, Look, look
from chat.rules.walks import oriented

GIF = b"GIF89a\x28\0\x1e\0\0\0\0;"


def of(folder: Path, content: bytes) -> Look:
    path = folder / "file"
    path.write_bytes(content)
    return look(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (jpeg(), Look("image/jpeg", 40, 30)),
        (png(4, 3), Look("image/png", 4, 3)),
        (GIF, Look("image/gif", 40, 30)),
        (webp(LOSSLESS), Look("image/webp", 40, 30)),
        (webp(LOSSY), Look("image/webp", 40, 30)),
        (webp(extended(), LOSSY), Look("image/webp", 40, 30)),
        (b"RIFF\x24\0\0\0WAVEfmt ", Look("audio/wav")),
        (avif(), Look("image/avif", 40, 30)),
        (avif(turned=1), Look("image/avif", 30, 40)),
        (film(track(b"soun"), track(b"vide", 640, 480)), Look("video/mp4", 640, 480)),
        (film(track(b"vide", 640, 480, turned=True)), Look("video/mp4", 480, 640)),
        (film(track(b"vide", 640, 480), brand=b"qt  "), Look("video/mp4", 640, 480)),
        (film(track(b"soun"), brand=b"M4A "), Look("audio/mp4")),
        (film(track(b"soun"), brand=b"mp42"), Look("audio/mp4")),
        (webm(SOUND, SCENE), Look("video/webm", 640, 480)),
        (webm(SOUND), Look("audio/webm")),
        (b"OggS\0\2" + b"\0" * 20 + b"\1\x13OpusHead", Look("audio/ogg")),
        (b"OggS\0\2" + b"\0" * 20 + b"\1\x1e\1vorbis", Look("audio/ogg")),
        (b"OggS\0\2" + b"\0" * 20 + b"\1\x1e\x80theora", Look(UNKNOWN)),
        (b"ID3\4\0\0", Look("audio/mpeg")),
        (b"\xff\xfb\x90\x64", Look("audio/mpeg")),
        (b"%PDF-1.7", Look("application/pdf")),
        (b"PK\3\4\x14\0", Look("application/zip")),
    ],
)
def test_a_type_is_told_by_the_first_bytes(tmp_path: Path, content: bytes, expected: Look) -> None:
    assert of(tmp_path, content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"<?xml version='1.0'?><x/>",
        b"#!/bin/sh",
        "text with a mark of its order".encode("utf-16"),
    ],
)
def test_what_is_not_known_has_no_type_of_its_own(tmp_path: Path, content: bytes) -> None:
    assert of(tmp_path, content) == Look(UNKNOWN)


def test_only_what_is_never_run_is_shown_in_the_page() -> None:
    assert {type.split("/")[0] for type in INLINE} == {"image", "video", "audio"}
    assert "image/svg+xml" not in INLINE


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"\xff\xd8\xff<script>alert(1)</script>",
        b"GIF89a",
        webp(LOSSLESS)[:-6],
        webp(b"<script>alert(1)</script>"),
        png()[:-1],
        jpeg()[:-1],
        avif()[:-1],
        avif().replace(b"iloc", b"iloK"),
        avif().replace(b"meta", b"metA"),
        film(track(b"vide", 640, 480))[:-1],
        film(track(b"vide", 640, 480)[:-4]),
        film(track(b"vide", 640, 480)) + b"\0\0\0\4" + box(b"free"),
        film(),
        webm(SCENE)[:40],
        webm(),
        element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"webm"))
        + element(b"\x18\x53\x80\x67", element(b"\xae", SCENE, open=True), open=True),
        jpeg().replace(SCAN, b""),
        jpeg(40, 30, jpeg()[2:-2]),
        png(4, 3, chunk(b"OWN!", b"needed")),
        png().replace(b"IDAT", b"tEXt"),
        jpeg(0, 30),
        png(4, 0),
    ],
)
def test_what_only_starts_like_a_picture_is_none(tmp_path: Path, content: bytes) -> None:
    assert of(tmp_path, content) == Look(UNKNOWN)


def test_a_picture_that_would_fill_the_memory_of_its_readers_is_a_file(tmp_path: Path) -> None:
    side = 1000 * MEGAPIXELS
    assert of(tmp_path, png(1000, side)) == Look("image/png", 1000, side)
    assert of(tmp_path, png(1000, side + 1)) == Look(UNKNOWN)


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40))])
def test_a_turned_picture_has_the_size_it_is_shown_at(
    tmp_path: Path, order: str, orientation: int, size: tuple[int, int]
) -> None:
    told = segment(0xE1, b"Exif\0\0" + exif(orientation, order))
    assert of(tmp_path, jpeg(40, 30, JFIF, told)) == Look("image/jpeg", *size)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_a_turn_that_there_is_not_is_none(tmp_path: Path, orientation: int) -> None:
    told = segment(0xE1, b"Exif\0\0" + exif(orientation))
    assert oriented(exif(orientation)) == 1
    assert of(tmp_path, jpeg(40, 30, told)) == Look("image/jpeg", 40, 30)
