"""What people and other programs call the same thing: keys of a board, columns of a table, fields of a request.

Each group is one thing; the words that a place knows decide which of them is meant there: `length` is `seconds` in
a board and `duration` in a table. Spelling is compared without case, spaces, hyphens and underscores.
"""

from collections.abc import Iterable

_GROUPS: tuple[str, ...] = (
    "seconds duration length secs sec dur time runtime clip_length video_length 时长 秒 秒数",
    "from first_frame_image image first_frame first start start_frame start_image begin picture photo still"
    " input_image init_image image_url first_image 首帧 首帧图 图片",
    "to last_frame_image end last_frame last end_frame end_image tail tail_frame tail_image last_image until 尾帧 尾帧图",
    "subject subject_image face subject_reference reference reference_image character_image portrait 主体",
    "cut transition join blend dissolve wipe xfade 转场",
    "action prompt description desc what caption text_prompt content 动作 描述 提示词",
    "dialogue line lines speech says dialog voiceover vo subtitle spoken 台词 对白",
    "characters cast character people persons who actors actor 角色 人物",
    "camera movement move moves camera_movement camera_move camera_motion motion 运镜 镜头运动",
    "resolution size quality definition res 分辨率 清晰度",
    "ratio aspect aspect_ratio format shape 画幅 比例",
    "prompt_optimizer optimizer optimize optimise enhance enhancer prompt_enhancer prompt_optimiser expand_prompt",
    "fast_pretreatment fast pretreatment",
    "aigc_watermark watermark 水印",
    "callback_url callback webhook webhook_url 回调",
    "model engine model_name model_id version 模型",
    "takes take variants variations count versions samples num_videos n 条数",
    "pick choose select chosen picked best 选用",
    "notes note comment comments remark remarks 备注",
    "place location setting scene where set 场景 地点",
    "look style mood palette 风格",
    "frames stills images pictures refs references assets",
    "shots scenes clips segments storyboard 镜头 分镜",
    "id shot shot_id number no nr name key 镜号 编号",
    "continue chain continues follow",
    "template preset video_template template_id template_name 模板",
    "vars variables values params parameters",
    "root output output_dir out folder directory dir 输出",
    "audio sound music soundtrack 音频",
    "trim in_out crop_time",
)
"""In each group the names of this package, then what else it is called."""


def folded(word: str) -> str:
    """A word as it is compared: its letters and digits alone, whatever their case."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())


_GROUPS_OF: dict[str, list[tuple[str, ...]]] = {}
for _group in _GROUPS:
    _words = tuple(map(folded, _group.split()))
    for _word in _words:
        _GROUPS_OF.setdefault(_word, []).append(_words)


def synonym(word: str, known: Iterable[str]) -> str | None:
    """The known word that means the same as this one, or None."""
    groups = _GROUPS_OF.get(folded(word), ())
    if not groups:
        return None
    by_fold = {folded(name): name for name in known}
    return next((by_fold[same] for group in groups for same in group if same in by_fold), None)


NOT_THERE = {
    "seed": "the service takes no seed; `takes` makes another clip of the same words",
    "negative_prompt": "the service takes none; say in the text what should be there",
    "fps": "the service decides it: 24, or 25 with S2V-01",
}
"""Words that people look for and that do not exist here, with what holds instead; also found by their synonyms."""


def not_there(word: str) -> str:
    """What holds instead of something that does not exist here; "" for any other word."""
    key = folded(word)
    alike = {key, *(other for group in _GROUPS_OF.get(key, ()) for other in group)}
    return next((text for name, text in NOT_THERE.items() if folded(name) in alike), "")
