"""Files for tests, made by hand or by the library that reads such files: small, and of the type their name says."""

from __future__ import annotations

import gzip
import io
import struct
import wave
import zipfile
import zlib

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 10)) -> bytes:
    """A whole picture in one of Pillow's formats."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, kind)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds no picture."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))


def sound(seconds: float = 0.1) -> bytes:
    """A WAV of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(8_000)
        opened.writeframes(bytes(int(seconds * 8_000) * 2))
    return file.getvalue()


def archive() -> bytes:
    """A ZIP with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("a.txt", "words")
    return file.getvalue()


_EBML = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282")
OPUS = b"OggS\0\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(100)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40) + b"\0\0\0\x14ispe" + struct.pack(">III", 0, 4000, 3000)

#: By name: the bytes, and the type under which the API takes them (None: it takes no such file).
FILES: dict[str, tuple[bytes, str | None]] = {
    "photo.png": (picture("PNG"), "image/png"),
    "photo.jpg": (picture("JPEG"), "image/jpeg"),
    "photo.webp": (picture("WEBP"), "image/webp"),
    "photo.heic": (HEIC, "image/heif"),
    "photo.heif": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(40), "image/heif"),
    "photo.gif": (picture("GIF"), "image/gif"),
    "photo.bmp": (picture("BMP"), None),
    "photo.tiff": (picture("TIFF"), None),
    "sound.wav": (sound(), "audio/wav"),
    "tagged.mp3": (b"ID3\x03\0\0\0\0\0\x21" + bytes(300), "audio/mp3"),
    "bare.mp3": (b"\xff\xfb\x90\x64" + bytes(400), "audio/mp3"),
    "narrow.mp3": (b"\xff\xf3\x90\x64" + bytes(400), "audio/mp3"),
    "sound.aac": (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(100), "audio/aac"),
    "voice.ogg": (OPUS, "audio/ogg"),
    "sound.flac": (b"fLaC\0\0\0\x22" + bytes(100), "audio/flac"),
    "sound.aiff": (b"FORM\0\0\0\x50AIFFCOMM" + bytes(60), "audio/aiff"),
    "memo.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + bytes(60), "audio/mp4"),
    "film.mp4": (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + bytes(100), "video/mp4"),
    "film.mov": (b"\0\0\0\x14ftypqt  \0\0\x02\0qt  " + bytes(60), "video/mov"),
    "film.3gp": (b"\0\0\0\x18ftyp3gp4\0\0\0\x003gp4isom" + bytes(60), "video/3gpp"),
    "film.webm": (_EBML + b"\x84webm\x42\x87\x81\x04\x42\x85\x81\x02" + bytes(100), "video/webm"),
    "film.mkv": (_EBML + b"\x88matroska\x42\x87\x81\x04" + bytes(100), None),
    "film.avi": (b"RIFF\0\1\0\0AVI LIST" + bytes(100), "video/avi"),
    "film.flv": (b"FLV\x01\x05\0\0\0\x09" + bytes(100), "video/x-flv"),
    "film.mpg": (b"\0\0\1\xb3" + bytes(100), "video/mpeg"),
    "film.wmv": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(200), "video/wmv"),
    "paper.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
    "plain.pdf": (b"%PDF-1.1\n1 0 obj << >> endobj", "application/pdf"),
    "a.zip": (archive(), None),
    "a.gz": (gzip.compress(b"words"), None),
    "a.exe": (b"MZ\x90\0\3\0\0\0" + bytes(200), None),
    "a.out": (b"\x7fELF\2\1\1" + bytes(100), None),
    "noise.bin": (bytes(range(256)) * 4, None),
    "zeros.bin": (bytes(200), None),
    "notes.txt": (b"hello\n", "text/plain"),
    "Makefile": (b"all:\n\techo hi\n", "text/plain"),
    "code.ts": (b'import x from "y";\n', "text/plain"),
    "MZ.txt": (b"MZ is how my text begins\n", "text/plain"),
    "page.HTML": (b"<!DOCTYPE html><html></html>", "text/html"),
    "table.csv": (b"a,b\n1,2\n", "text/csv"),
    "read.md": ("# 你好\n".encode(), "text/md"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "text/plain"),
    "data.json": (b'{"a": 1}', "text/plain"),
    "log.txt": (b"\x1b[31mred\x1b[0m\n", "text/plain"),
}
