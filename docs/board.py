"""Writes `reference/board.md`: every key of a board with an example, in the order of the models that read it."""

from pathlib import Path

from pydantic import BaseModel

from minimax_tasks.storyboard.board import Board, CastMember, Defaults, Shot

PAGE = Path(__file__).parent / "reference" / "board.md"

EXAMPLES: dict[type[BaseModel], dict[str, tuple[str, str]]] = {
    Board: {
        "title": (
            "The film's name. Its folder on the root is named after it. Required.",
            "title: Harbour",
        ),
        "look": (
            "Light, palette, lens, grain: goes into every prompt, at the end or where the text says "
            "`{{ look }}`.",
            "look: Overcast dawn, teal and rust palette, 35 mm grain.",
        ),
        "language": (
            "`en` or `zh`: the language of camera commands in brackets. Left out, it is that of the region of "
            "the service. The words around them are in the language of the shot.",
            "language: en",
        ),
        "ratio": (
            "The shape of clips whose model takes one (MiniMax-H3), in quotes. A clip from text alone needs one; a clip "
            "with frames has their shape.",
            'ratio: "16:9"',
        ),
        "defaults": (
            "What every shot has unless it says otherwise; see [below](#defaults).",
            "defaults: {model: MiniMax-Hailuo-02, resolution: 768P, seconds: 6}",
        ),
        "cast": (
            "People and things that appear in several shots, described once. A name with text, or with "
            "`desc`; see [below](#a-member-of-the-cast).",
            'cast: {mara: "a woman in her thirties, short black hair, yellow oilskin coat"}',
        ),
        "frames": (
            "Stills by name: a path next to the board, an http(s) URL, or a file on a storage. In a film with "
            "a `picture` a still of another shape is cropped once, before it is sent; `crop` says what is kept: `top`, "
            "`bottom`, `left`, `right`, `center`, a number from 0 to 1, or `[x, y, width, height]` in parts of it. "
            "A still on the web stays as it is, and the plan says so.",
            "frames: {pier: refs/pier.png, mara: {file: refs/mara.png, crop: top}}",
        ),
        "picture": (
            "The shape of the film: `aspect`, `size` in pixels, and `fill` for clips of another shape: `crop`, `blur` "
            '(whole, on a blurred copy) or `bars`. `picture: "9:16"` alone will do. Without it a film has the shape of '
            "most of its clips. It changes no clip; models that take a `ratio` make theirs in this shape.",
            'picture: {aspect: "9:16", size: 1080x1920, fill: blur}',
        ),
        "audio": (
            "Sound under the film: a file, or a list of beds with `file`, `from` and `to` (ids of shots, or seconds of "
            "the film), `start` (where in the file), `loop`, `gain` in decibels, `fade_in`, `fade_out`, and `duck`: how "
            "many decibels quieter it is while a voice is heard. A film with beds or voices is levelled to -16 LUFS; "
            "`audio: {beds: [...], loudness: -23}` sets another, `loudness: off` none.",
            'audio: [{file: music.mp3, to: "030", gain: -6, fade_out: 2, duck: 12}, {file: rain.wav, loop: true}]',
        ),
        "captions": (
            "`burn` writes what is spoken into the pictures of the film, in the first language of the board; "
            "`{burn: fr}` in another one. Without it, `dialogue` becomes tracks of subtitles alone.",
            "captions: {burn: fr}",
        ),
        "grade": (
            "Whether colours are matched where a shot goes on from the one before: `off`, `match` or `chain`; see "
            "[below](#a-shot).",
            "grade: chain",
        ),
        "shots": (
            "The shots in the order of the film, at least one. Required.",
            'shots: [{id: "010", prompt: Fog over a harbour at dawn.}]',
        ),
    },
    Defaults: {
        "model": ("A model; [models](models.md) lists them.", "defaults: {model: MiniMax-Hailuo-02}"),
        "resolution": ("A size that the model has.", "defaults: {resolution: 1080P}"),
        "seconds": (
            "The length of a clip: 6 or 10 for most models, 4 to 15 for MiniMax-H3, whose clips are a little longer.",
            "defaults: {seconds: 6}",
        ),
        "ratio": ("As the board's own.", 'defaults: {ratio: "9:16"}'),
        "prompt_optimizer": (
            "Whether the service may rewrite the prompt.",
            "defaults: {prompt_optimizer: false}",
        ),
        "template": ("The template of shots that have no text of their own.", "defaults: {template: plain}"),
        "takes": ("How many clips of each shot to make.", "defaults: {takes: 2}"),
        "fit": (
            "Crop and scale pictures that the service would refuse: longer than 5:2, over 20 MB, CMYK, 16 bits. "
            "Other pictures stay as they are; nothing is cropped to the shape of the film.",
            "defaults: {fit: true}",
        ),
        "sound": (
            "Whether the sound of clips is heard: `keep`, `drop`, or a volume.",
            "defaults: {sound: drop}",
        ),
    },
    CastMember: {
        "desc": (
            "The words that every shot with this member has in its prompt. `mara: text` is short for it.",
            "cast: {mara: {desc: a woman in a yellow oilskin coat}}",
        ),
        "pictures": (
            "Pictures of the member, or names of `frames`. A shot of MiniMax-H3 without frames takes them as references.",
            "cast: {mara: {desc: a woman in a yellow oilskin coat, pictures: refs/mara.png}}",
        ),
    },
    Shot: {
        "id": ("The shot's name, unique, in quotes. Required.", 'id: "010"'),
        "clip": (
            "Own footage in place of a generated clip: a video file next to the board or on a storage, up to ten "
            "minutes, of any rate and size; or a clip that another root has made, by its key. It costs nothing. "
            "The next shot may continue from its last frame.",
            "clip: footage/wave.mp4",
        ),
        "still": (
            "A picture in place of a generated clip: a name from `frames`, or a path. It is there for `seconds` (4 if "
            "not given), `camera` moves over it, and it fills the film whatever its shape. Drawn here: it costs nothing.",
            "{still: refs/pier.png, seconds: 4, camera: push in}",
        ),
        "video_template": (
            "One of the service's own video templates (`minimax-tasks templates`), by `name` or `id`, with the `image` "
            "(a name from `frames`, a path or a URL) and the `text` that it takes. It is paid; its length shows when it "
            "is made.",
            "video_template: {name: Diving, image: refs/cat.png}",
        ),
        "template": (
            "A file of `prompt_templates/`, yours next to the board or one of ours; see "
            "[prompts](prompts.md). A shot has `template` or `prompt`.",
            "template: establishing",
        ),
        "prompt": (
            "The text itself. It may hold macros.",
            "prompt: Waves break over a black rock. {{ cam('push in') }}",
        ),
        "from": (
            "The still that the clip starts on: a name from `frames`, a path, a URL, or a frame of another "
            "shot: `010.last`, `010.first`, `010@2.5` (seconds). A frame of a film is one too (`ferry.mp4@3.2`, "
            "`ferry.mp4#last`), and so is one of another board's shot (`harbour.yaml#040.last`).",
            "from: refs/pier.png",
        ),
        "to": (
            "The still that the clip ends on, named in the same way.",
            "{from: refs/pier.png, to: refs/boat.png}",
        ),
        "continue": (
            "Where a shot without `from` takes up: `frame` is the last frame of the shot before, taken out of its "
            "clip, although that shot has a `to` still; `still` is that still; `out` is the frame at which a trim "
            "ends the shot before; or the id of another shot.",
            'continue: "000"',
        ),
        "cut": (
            "`true` breaks the chain with a plain cut; a [transition](transitions.md) and its seconds do it with "
            "that.",
            "cut: fade 0.5",
        ),
        "camera": (
            "The camera's moves. One text: at the same time, three at most. A list: one after the other. "
            "[Models and camera moves](models.md#camera-moves) lists them.",
            'camera: [static, "push in, tilt up"]',
        ),
        "model": ("As in `defaults`, for this shot.", "model: MiniMax-Hailuo-2.3"),
        "resolution": ("As in `defaults`.", "resolution: 1080P"),
        "seconds": ("As in `defaults`.", "seconds: 10"),
        "ratio": ("As the board's own, for this shot.", 'ratio: "1:1"'),
        "prompt_optimizer": (
            "As in `defaults`. It is off in a shot that starts on a frame of another, unless it is set.",
            "prompt_optimizer: true",
        ),
        "takes": ("How many clips of the shot to make, up to 20. Each is paid.", "takes: 3"),
        "pick": ("Which take the film gets, from 1.", "{takes: 2, pick: 2}"),
        "characters": ("Names from `cast`; their descriptions go into the prompt.", "characters: [mara]"),
        "subject": (
            "A picture of a face, for `S2V-01`: the person appears in a scene that the text describes.",
            "{model: S2V-01, subject: refs/face.png}",
        ),
        "references": (
            "Pictures (names of `frames` too), videos and sounds from which MiniMax-H3 takes what it shows, how it moves "
            "and how it sounds. The text calls them `<Picture 1>`, `<Video 1>`, `<Audio 1>`. Such a shot has no frames.",
            "{model: MiniMax-H3, references: [refs/face.png, refs/dance.mp4]}",
        ),
        "action": (
            "What happens. Templates put it where it reads best.",
            "action: She looks up from the rope.",
        ),
        "place": ("Where it happens.", "place: a wooden pier"),
        "dialogue": (
            "A line that is spoken. MiniMax-H3 speaks it: it goes into the prompt, with its language "
            "(`[French] Bonjour.` says which). Other clips are silent, and it goes into the report; the template "
            "`dialogue_cu` asks the face to speak. The film has it as subtitles. A list of `{text, from, to}` times "
            "lines in seconds of the shot, and names of languages make a track each: `{en: Go., zh: 走。}`.",
            "dialogue: We should have left at noon.",
        ),
        "title": (
            "Words in the picture, in one of the [looks](titles.md): `text`, `subtitle`, `look`, and `from` and `to` in "
            "seconds of the shot as it is shown. They fade in and out within `fade` seconds, half a second if left out. "
            "A list for several. `over: black` or `over: white` makes a card: a shot that is not generated and costs "
            "nothing, `seconds` long; the next shot does not continue it. "
            "80 letters at most, 120 in the subtitle; a Chinese character counts as two.",
            "title: {text: The Last Ferry, subtitle: A film by Mara Lindqvist, over: black, seconds: 4}",
        ),
        "notes": ("For people: shown in the report, sent nowhere.", "notes: Keep the horizon low."),
        "trim": (
            "The part of the clip that the film shows, as `from..to` in seconds; either may be left out, and a minus "
            "counts from the end. The clip stays whole: another trim costs nothing.",
            "trim: 1.2..-0.5",
        ),
        "speed": (
            "How fast the clip is shown: 0.5 is slow motion, 2 twice as fast. Sound keeps its pitch.",
            "speed: 0.5",
        ),
        "hold": ("Seconds that the last frame stays.", "hold: 1.5"),
        "skip": (
            "Leaves the shot out of the film. A clip that is made stays; one that is not is made only if another shot "
            "continues from it.",
            "skip: true",
        ),
        "crop": (
            "What of its picture is kept where the film has another shape and `fill` is `crop`: `top`, `bottom`, "
            "`left`, `right`, `center`, or a number from 0 to 1. `[x, y, width, height]`, in parts of the picture, cuts "
            "that out in any case.",
            "crop: left",
        ),
        "grade": (
            "Whether the colours are matched where the shot goes on from the last frame of the one before: `match` to "
            "that clip as it is, `chain` to that clip as it is matched itself, `off`. The board has one for all. "
            "Brightness, contrast and colour change by one curve for the whole clip, within bounds, and only where that "
            "brings the two pictures at the seam nearer; the manifest says by how much.",
            "grade: chain",
        ),
        "ease": (
            "How many frames are left out on either side of the seam where the shot goes on from the one before, with "
            "their sound: there a movement comes to rest and begins anew. Not after a `hold`.",
            "ease: 4",
        ),
        "sound": (
            "Whether the clip's sound is heard: `keep`, `drop`, or a volume, of which 1 is as it is.",
            "sound: 0.5",
        ),
        "voice": (
            "A recording that is heard over the shot, from its beginning or `at` so many seconds later; it may go on "
            "over the next. A list for several.",
            "voice: {file: line.wav, at: 0.5, gain: 3}",
        ),
        "vars": (
            "Any other values that the template or the prompt asks for.",
            '{prompt: "A pier, {{ time }}.", vars: {time: blue hour}}',
        ),
    },
}
"""Model -> key -> what it says, and an example."""

_HEAD = """# Board keys

A board is a YAML file (JSON is YAML too). A key that is not known, or a value that is not allowed, stops
`plan` and `render` with the file, the line and the nearest known key. Nothing is paid before the whole board is
right.

Inside `{…}` YAML ends a value at a comma; write text with commas in quotes, or on a line of its own.
"""

_HEADINGS = {
    Board: ("The board", "These keys stand at the left margin."),
    Defaults: ("Defaults", "The keys under `defaults`."),
    CastMember: ("A member of the cast", "The keys of a name under `cast`."),
    Shot: ("A shot", "The keys of each entry of `shots`."),
}


def keys(model: type[BaseModel]) -> dict[str, bool]:
    """The keys that a model reads, and whether each must be there."""
    return {field.alias or name: field.is_required() for name, field in model.model_fields.items()}


def page() -> str:
    """The whole page. Raises `KeyError` for a key that has no example here."""
    parts = [_HEAD]
    for model, (heading, about) in _HEADINGS.items():
        parts.append(f"\n## {heading}\n\n{about}\n")
        for key in keys(model):
            text, example = EXAMPLES[model][key]
            parts.append(f"\n### {heading.split()[-1].lower()}: {key}\n\n{text}\n\n```yaml\n{example}\n```\n")
    return "".join(parts)
