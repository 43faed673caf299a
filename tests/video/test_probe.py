import io
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from minimax_tasks.errors import VideoError
from minimax_tasks.video.encode import Cue, h264_mp4
from minimax_tasks.video.frames import last_frame
from minimax_tasks.video.probe import Probe, probe
from minimax_tasks.video.recording import read_recording
from minimax_tasks.video.stream_layout import read_layout

LEVELS = ["header", "packets", "keyframes", "decode"]


def noise(number, size):
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def noisy_clip(make_clip):
    return Path(make_clip(picture=noise))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("b_frames", [False, True])
def test_a_good_clip_has_its_facts_and_no_problems(make_clip, level, b_frames):
    found = probe(make_clip(frames=30, b_frames=b_frames), level)
    assert found.ok
    assert found == Probe(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="h264",
        pix_fmt="yuv420p",
        width=96,
        height=54,
        fps=Fraction(24),
        frames=30,
        seconds=1.25,
        audio=False,
    )


def test_a_file_object_is_read_from_its_start(noisy_clip):
    file = io.BytesIO(noisy_clip.read_bytes())
    file.seek(100)
    assert probe(file) == probe(file) == probe(noisy_clip)


def test_audio_is_seen(make_clip):
    assert probe(make_clip(audio=True)).audio


def test_a_clip_cut_in_half_looks_whole_to_the_header_alone(noisy_clip):
    data = noisy_clip.read_bytes()
    noisy_clip.write_bytes(data[: len(data) // 2])
    assert probe(noisy_clip, "header").ok
    assert any("cut off" in problem for problem in probe(noisy_clip).problems)
    assert not probe(noisy_clip, "decode").ok


def test_a_missing_last_kilobyte_is_found(noisy_clip):
    data = noisy_clip.read_bytes()
    noisy_clip.write_bytes(data[:-1000])
    assert not probe(noisy_clip).ok


def test_a_clip_whose_index_is_cut_off_is_not_a_video(make_clip):
    path = Path(make_clip(movflags="disable_chpl", picture=noise))
    path.write_bytes(path.read_bytes()[:-200])
    assert "not a readable video" in probe(path, "header").problems[0]


def test_flipped_bytes_are_found_by_decoding(noisy_clip):
    data = bytearray(noisy_clip.read_bytes())
    for position in range(len(data) // 2, len(data) - 100, 97):
        data[position] ^= 0xFF
    noisy_clip.write_bytes(bytes(data))
    assert not probe(noisy_clip, "decode").ok


@pytest.mark.parametrize(
    "content", [b"", b"<html>404 Not Found</html>", b'{"base_resp": {"status_code": 1002}}']
)
@pytest.mark.parametrize("level", LEVELS)
def test_an_error_page_is_not_a_video(tmp_path, content, level):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert "not a readable video" in probe(path, level).problems[0]
    assert not probe(io.BytesIO(content), level).ok


def test_a_picture_named_mp4_is_not_a_video(tmp_path):
    path = tmp_path / "clip.mp4"
    Image.new("RGB", (64, 64)).save(path, "PNG")
    problems = probe(path).problems
    assert any("not mp4" in problem for problem in problems)
    assert any("the codec is png" in problem for problem in problems)


SCRIPTS = {
    "concat": "ffconcat version 1.0\nfile other.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nother.mp4\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "tty": "\x1b[2J\x1b[31mred\n" * 200,
}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_text_that_names_other_recordings_has_none_of_them_opened(kind, make_clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(make_clip(), "other.mp4")
    Path("clip.mp4").write_text(SCRIPTS[kind])
    content = Path("clip.mp4").read_bytes()
    for source in ("clip.mp4", io.BytesIO(content)):
        assert not probe(source).codec
        with pytest.raises(VideoError):
            last_frame(source)
    with pytest.raises(VideoError):
        read_recording(content)
    with pytest.raises(VideoError):
        read_layout("clip.mp4")


def test_a_recording_whose_texts_are_no_unicode_is_read(make_clip):
    content = Path(make_clip()).read_bytes()
    assert b"VideoHandler" in content
    odd = content.replace(b"VideoHandler", "港口".encode("gbk") + b"\xff Handle")
    assert read_recording(odd) == read_recording(content)


def test_sound_alone_is_not_a_video(tmp_path):
    import av

    path = str(tmp_path / "sound.m4a")
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=32000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 32000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert probe(path).problems == ("there is no video stream",)


def test_a_missing_file_is_a_problem_too(tmp_path):
    assert probe(tmp_path / "none.mp4").problems == ("there is no such file",)


def test_a_pause_between_subtitles_is_no_damage(tmp_path):
    path = str(tmp_path / "clip.mp4")
    cues = [Cue(0.0, 0.5, "Static shot"), Cue(1.0, 1.5, "Push in")]
    with h264_mp4(path, (64, 36), Fraction(24), {"threads": "1"}, cues) as writer:
        for number in range(48):
            writer.write(
                av.VideoFrame.from_image(Image.new("RGB", (64, 36), (number, 90, 90))).reformat(
                    format="yuv420p"
                )
            )
    with av.open(path) as container:
        texts = [bytes(packet) for packet in container.demux(subtitles=0) if packet.size]
    assert b"\0\0" in texts, "the pause is written as a text of no bytes"
    assert probe(path, "keyframes").problems == ()


def test_silence_in_plain_samples_is_no_damage(tmp_path):
    path = str(tmp_path / "clip.mov")
    with av.open(path, "w") as container:
        picture = container.add_stream("libx264", rate=24, options={"threads": "1"})
        picture.width, picture.height, picture.pix_fmt = 64, 36, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number in range(24):
            container.mux(
                picture.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 36), (number, 0, 0))))
            )
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48000
        container.mux(sound.encode(silence))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    assert probe(path, "keyframes").problems == ()
