"""What a picture tells beside what it shows is left out, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import (
    ADOBE,
    END,
    JFIF,
    LOSSLESS,
    LOSSY,
    PLACE,
    SCAN,
    avif,
    box,
    chunk,
    exif,
    extended,
    film,
    jpeg,
    png,
    riff,
    segment,
    track,
    webp,
)

from chat.rules.media import UNKNOWN, Look, look
from chat.rules.metadata import CHUNK, strip
from chat.rules.walks import PIECES, exif_of, oriented

ICC = b"ICC_PROFILE\0\1\1colours"
TEXTS = [chunk(kind, b"Comment\0" + PLACE) for kind in (b"tEXt", b"zTXt", b"iTXt", b"tIME")]


def stripped(folder: Path, content: bytes) -> bytes:
    """What is kept of it."""
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    return target.read_bytes() if strip(source, target, look(source).type) else content


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (
            jpeg(
                40, 30,
                JFIF,
                segment(0xE1, b"Exif\0\0" + exif()),
                segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE),
                segment(0xE2, ICC),
                segment(0xE2, b"MPF\0" + PLACE),
                segment(0xED, b"Photoshop 3.0\0" + PLACE),
                ADOBE,
                segment(0xFE, PLACE),
            ),
            jpeg(40, 30, JFIF, segment(0xE2, ICC), ADOBE),
        ),
        (jpeg(40, 30, segment(0xE0, JFIF[4:16] + b"\2\3" + PLACE + b"..")), jpeg(40, 30, JFIF)),
        (jpeg() + jpeg(9, 9, segment(0xFE, PLACE)), jpeg()),
        (png(4, 3, chunk(b"gAMA", b"gama"), *TEXTS), png(4, 3, chunk(b"gAMA", b"gama"))),
        (png(4, 3, chunk(b"eXIf", exif()), chunk(b"prVt", PLACE)), png(4, 3)),
        (png(4, 3, after=b"<script>" + PLACE), png(4, 3)),
        (webp(LOSSLESS, riff(b"XMP ", PLACE)), webp(LOSSLESS)),
        (webp(LOSSLESS) + PLACE, webp(LOSSLESS)),
        (
            webp(
                extended(0x2C), riff(b"ICCP", ICC), LOSSY,
                riff(b"EXIF", exif()), riff(b"XMP ", PLACE), riff(b"own ", PLACE),
            ),
            webp(extended(0x20), riff(b"ICCP", ICC), LOSSY),
        ),
    ],
)  # fmt: skip
def test_what_it_tells_is_left_out_and_the_rest_is_as_it_was(
    tmp_path: Path, content: bytes, kept: bytes
) -> None:
    assert PLACE in content
    assert stripped(tmp_path, content) == kept
    assert stripped(tmp_path, kept) == kept


@pytest.mark.parametrize(
    "content", [jpeg(40, 30, JFIF), png(), webp(LOSSY), webp(extended(), LOSSY)]
)
def test_what_tells_nothing_is_not_written_again(tmp_path: Path, content: bytes) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    assert strip(source, target, look(source).type) is False
    assert not target.exists()


@pytest.mark.parametrize("order", ["big", "little"])
def test_which_way_up_it_is_stays(tmp_path: Path, order: str) -> None:
    for content in (
        jpeg(40, 30, JFIF, segment(0xE1, b"Exif\0\0" + exif(6, order))),
        png(40, 30, chunk(b"eXIf", exif(6, order))),
    ):
        (tmp_path / "kept").write_bytes(kept := stripped(tmp_path, content))
        assert PLACE not in kept
        assert exif_of(6) in kept
        found = look(tmp_path / "kept")
        assert (found.width, found.height) == (30, 40)
        assert stripped(tmp_path, kept) == kept


XYZ = box(b"udta", box(b"\xa9xyz", PLACE))
KEYS = box(b"meta", box(b"ilst", PLACE))
XMP = box(b"uuid", bytes(16), PLACE)


def test_a_film_keeps_its_length_and_tells_nothing(tmp_path: Path) -> None:
    content = film(track(b"vide", 640, 480, XYZ), XYZ, KEYS, XMP) + XMP + KEYS
    kept = stripped(tmp_path, content)
    for told in (XYZ, KEYS, XMP):
        content = content.replace(told, box(b"free", bytes(len(told) - 8)))
    assert PLACE not in kept
    assert kept == content
    assert stripped(tmp_path, kept) == kept


def test_a_long_head_of_a_box_is_read_and_kept(tmp_path: Path) -> None:
    long = b"\0\0\0\1udta" + (16 + len(PLACE)).to_bytes(8, "big") + PLACE
    kept = stripped(tmp_path, film(track(b"vide", 4, 3), long))
    assert kept == film(
        track(b"vide", 4, 3), long.replace(b"udta", b"free").replace(PLACE, b"\0" * 16)
    )


@pytest.mark.parametrize("method", [0, 1])
@pytest.mark.parametrize("kind", [b"Exif", b"mime", b"uri "])
def test_what_an_avif_tells_is_blank_and_nothing_is_moved(
    tmp_path: Path, kind: bytes, method: int
) -> None:
    told = [PLACE[:10], PLACE[6:16]]
    content = avif(*told, kind=kind, method=method)
    kept = stripped(tmp_path, content)
    for part in told:
        content = content.replace(part, bytes(len(part)))
    assert kept == content
    assert stripped(tmp_path, kept) == kept


def test_exif_that_is_left_empty_can_be_read(tmp_path: Path) -> None:
    """Some decoders refuse a picture whose Exif is none."""
    content = avif(exif(6), method=1)
    kept = stripped(tmp_path, content)
    assert PLACE not in kept
    assert exif_of(1) in kept
    assert len(kept) == len(content)


@pytest.mark.parametrize(("start", "length"), [(0, 4), (10**6, 4), (300, 10**6)])
def test_an_item_that_lies_outside_the_data_makes_no_picture(
    tmp_path: Path, start: int, length: int
) -> None:
    content = avif(PLACE)
    there = content.index(PLACE).to_bytes(4, "big") + len(PLACE).to_bytes(4, "big")
    assert there in content
    hostile = content.replace(there, start.to_bytes(4, "big") + length.to_bytes(4, "big"))
    (tmp_path / "file").write_bytes(hostile)
    assert look(tmp_path / "file").type == UNKNOWN


def test_a_webp_is_not_turned(tmp_path: Path) -> None:
    """Browsers do not agree whether its Exif turns it; without Exif they do."""
    content = webp(extended(0x08), LOSSY, riff(b"EXIF", exif(6)))
    assert stripped(tmp_path, content) == webp(extended(), LOSSY)
    assert look(tmp_path / "source") == Look("image/webp", 40, 30)


def test_a_file_for_the_stripped_is_readable_by_the_server_alone(tmp_path: Path) -> None:
    stripped(tmp_path, png(4, 3, *TEXTS))
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o600


def test_of_two_turns_the_first_counts_and_one_is_kept(tmp_path: Path) -> None:
    first, second = (segment(0xE1, b"Exif\0\0" + exif(turn)) for turn in (6, 8))
    kept = stripped(tmp_path, jpeg(40, 30, JFIF, first, second))
    assert kept == jpeg(40, 30, JFIF, segment(0xE1, b"Exif\0\0" + exif_of(6)))


def test_what_is_written_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(png(4, 3, *TEXTS))
    (tmp_path / "target").write_bytes(bytes(1000))
    assert strip(tmp_path / "source", tmp_path / "target", "image/png")
    assert (tmp_path / "target").read_bytes() == png(4, 3)


@pytest.mark.parametrize("before", [-1, 0, 1])
def test_a_marker_may_stand_anywhere_in_the_data(tmp_path: Path, before: int) -> None:
    """It is read in pieces."""
    content = jpeg().removesuffix(SCAN + END) + SCAN[:10] + b"\x12" * (CHUNK - 1 + before)
    assert stripped(tmp_path, content + END) == content + END
    assert look(tmp_path / "source").type == "image/jpeg"


def test_metadata_that_lies_in_itself_is_blank(tmp_path: Path) -> None:
    content = avif(PLACE[:10], PLACE[6:16])
    at = content.index(PLACE[:10])
    second = (at + 10).to_bytes(4, "big") + (10).to_bytes(4, "big")
    overlapping = (at + 5).to_bytes(4, "big") + (15).to_bytes(4, "big")
    kept = stripped(tmp_path, content.replace(second, overlapping))
    assert second in content
    assert kept[at : at + 20] == bytes(20)


def test_metadata_between_and_behind_the_data_is_left_out(tmp_path: Path) -> None:
    secret = segment(0xFE, PLACE)
    content = jpeg()
    assert content.endswith(SCAN + END)
    between = content.removesuffix(END) + secret + SCAN + secret + END
    assert stripped(tmp_path, between) == content.removesuffix(END) + SCAN + END


@pytest.mark.parametrize("piece", [segment(0xFE, b""), b"\xff"], ids=["comments", "fill"])
def test_a_file_in_a_million_pieces_is_no_picture(tmp_path: Path, piece: bytes) -> None:
    (tmp_path / "file").write_bytes(jpeg(4, 3, piece * PIECES))
    assert look(tmp_path / "file").type == UNKNOWN


def test_data_that_is_all_fill_bytes_is_passed_in_one_go(tmp_path: Path) -> None:
    """A pattern that tries each of them anew would take an hour."""
    content = jpeg().removesuffix(END)
    (tmp_path / "file").write_bytes(content + b"\xff" * CHUNK + END)
    assert look(tmp_path / "file").type == "image/jpeg"
    (tmp_path / "file").write_bytes(content + b"\xff" * 16 * CHUNK)
    assert look(tmp_path / "file").type == UNKNOWN


PICTURES = [
    jpeg(40, 30, JFIF, segment(0xE1, b"Exif\0\0" + exif(6)), segment(0xFE, PLACE)),
    png(4, 3, chunk(b"eXIf", exif(6)), *TEXTS),
    webp(extended(0x2C), LOSSY, riff(b"EXIF", exif(6)), riff(b"XMP ", PLACE)),
    avif(b"\0\0\0\0" + exif(6), turned=1),
    film(track(b"soun"), track(b"vide", 640, 480, XYZ), XYZ),
]


@pytest.mark.parametrize("content", PICTURES)
def test_a_picture_or_a_film_that_is_cut_anywhere_is_none(tmp_path: Path, content: bytes) -> None:
    for end in range(len(content)):
        (tmp_path / "file").write_bytes(content[:end])
        if not content.startswith(b"mdat", end + 4):  # that would be a film without a picture
            assert look(tmp_path / "file").type == UNKNOWN, end


@given(
    content=st.sampled_from(PICTURES),
    at=st.integers(0, 800),
    instead=st.binary(min_size=1, max_size=8),
)
def test_hostile_bytes_are_a_picture_without_metadata_or_none(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, at: int, instead: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    at %= len(content)
    hostile = content[:at] + instead + content[at + len(instead) :]
    kept = stripped(folder, hostile)
    (folder / "kept").write_bytes(kept)
    assert look(folder / "kept") == look(folder / "source")
    if look(folder / "source").type != UNKNOWN:
        assert stripped(folder, kept) == kept


@given(st.binary(max_size=200))
def test_any_bytes_may_stand_where_exif_is_told(data: bytes) -> None:
    assert 1 <= oriented(data) <= 8
    assert 1 <= oriented(b"MM\0*" + data) <= 8


def test_what_is_written_of_the_orientation_is_read_again() -> None:
    assert [oriented(exif_of(number)) for number in range(1, 9)] == list(range(1, 9))
