"""The video templates of `/v1/video_template_generation`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """One template: its id (18 digits, always a string), what it takes and what it shows.

    `other_ids` are ids under which it has been published wrongly. `usd` is the published price, if any.
    """

    id: str
    name: str
    chinese: str
    image: str
    text: str
    description: str
    hosts: tuple[str, ...]
    source: str
    usd: float | None = None
    aliases: tuple[str, ...] = ()
    other_ids: tuple[str, ...] = ()


_CN, _EN = ("zh",), ("en",)
_BOTH = ("zh", "en")

TEMPLATES: tuple[Template, ...] = (
    Template("392753057216684038", "Diving", "跳水", "a photo of a person or subject", "",
             "the subject dives from a board", _CN, "templates-cn", 0.40),
    Template("393881433990066176", "Rings", "吊环", "a photo of a pet or person", "",
             "gymnastics on the rings", _BOTH, "templates-cn", 0.45, ("Still rings routine",)),
    Template("393769180141805569", "Survival", "绝地求生", "a photo of a pet", "a wild beast, e.g. Lion",
             "outdoor survival with a beast", _BOTH, "templates-cn", 0.45, ("Run for Life",)),
    Template("394246956137422856", "Labubu", "万物皆可 labubu", "a photo of a person or pet", "",
             "the face becomes a Labubu", _CN, "templates-cn"),
    Template("393879757702918151", "McDonald's Delivery", "麦当劳宠物外卖员", "a photo of a pet", "",
             "the pet delivers a meal", _BOTH, "templates-cn", 1.10, ("McDonald's Delivery Pet",)),
    Template("393766210733957121", "Tibetan Portrait", "藏族风写真", "a face", "",
             "a portrait in Tibetan dress", _CN, "templates-cn"),
    Template("393866076583718914", "Female Model Ads", "女模特试穿广告", "a picture of clothing", "",
             "a female model wears it", _BOTH, "templates-cn", 1.00, ("Female Model Try-On Ad",)),
    Template("393876118804459526", "Male Model Ads", "男模特试穿广告", "a picture of clothing", "",
             "a male model wears it", _BOTH, "templates-cn", 1.00, ("Male Model Try-On Ad",)),
    Template("393857704283172864", "Winter Romance", "情书写真", "a portrait photo", "",
             "a snowy portrait", _CN, "templates-cn", other_ids=("393857704283172856",)),
    Template("398574688191234048", "Four Seasons", "四季写真", "a photo of a face", "",
             "a portrait through the seasons", _CN, "templates-cn"),
    Template("394125185182695432", "Helpless Moments", "生无可恋", "",
             "who painfully does what, e.g. 小狗加班", "a comic animation", _CN, "templates-cn"),
    Template("392747428568649728", "Diving (global)", "", "a photo of a person or subject", "",
             "the subject dives from a board", _EN, "templates-en", 0.40),
    Template("397087679467597833", "Transformers", "", "a photo of a car", "",
             "the car becomes a robot", _EN, "templates-en", 0.45),
    Template("393498001241890824", "Weightlifting", "", "a photo of a pet", "",
             "the pet lifts weights", _EN, "templates-en", 0.45),
    Template("393488336655310850", "Climbing", "", "a photo of a person or pet", "",
             "the subject climbs", _EN, "templates-en", 0.40),
    Template("394514820878671878", "Anime Life Sim", "", "", "a scene",
             "a day in an anime", _EN, "templates-en", 1.50),
    Template("397017167949312007", "Pet Pilot", "", "a photo of a pet", "",
             "the pet flies a plane", _EN, "templates-en", 2.00),
    Template("394176968202485769", "Miniature Set Ad", "", "a picture of a product", "",
             "the product in a miniature set", _EN, "templates-en", 1.40),
    Template("394875727173492739", "Art Fonts", "", "", "a word and an element",
             "the word in an artful font", _EN, "templates-en", 0.35),
    Template("394220989629177861", "Drinkfall", "", "a picture of a drink", "",
             "a waterfall of the drink", _EN, "templates-en", 0.70),
    Template("393853165953970178", "E-commerce Display Ad", "", "", "words on the product",
             "a display ad", _EN, "templates-en", 0.86),
    Template("401431836934868999", "3D character product presentation", "", "a picture of a product",
             "words on the product", "a 3D character presents it", _EN, "templates-en", 1.08),
)  # fmt: skip
"""The eleven of the Chinese list, then those that only the global host has.

Winter Romance is sent as 393857704283172864. The widely copied ...856 is a slip: the official list says
...864, and these ids are snowflakes whose low twelve bits are near zero in all of them but that one. Both
ids and both names find the row.
"""


def find_template(name_or_id: str) -> Template | None:
    """The template with this id, English or Chinese name (case and spaces do not matter)."""
    wanted = _fold(name_or_id)
    for template in TEMPLATES:
        known = (template.id, template.name, template.chinese, *template.aliases, *template.other_ids)
        if wanted and wanted in map(_fold, known):
            return template
    return None


def _fold(name: str) -> str:
    return "".join(name.casefold().replace("’", "'").split())
