"""The mode of the service's video templates."""

from typing import Any, ClassVar

from pydantic import StrictStr

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.catalog.templates import TEMPLATES, Template, find_template
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.requests.base import Request
from minimax_tasks.api.requests.fields import need_readable, sendable
from minimax_tasks.api.suggest import suggest
from minimax_tasks.api.v1.endpoints import TEMPLATE_GENERATION
from minimax_tasks.errors import InvalidRequest


class TemplateRequest(Request):
    """A clip from one of the service's video templates, found by name or by id."""

    mode: ClassVar[Mode] = Mode.TEMPLATE
    picture_fields: ClassVar[tuple[str, ...]] = ("image",)
    decided_by: ClassVar[str] = "template"

    template: StrictStr
    """Name or id; `minimax-tasks templates` lists them."""
    image: StrictStr | None = None
    """A picture, for templates that take one."""
    text: StrictStr | None = None
    """A text, for templates that take one."""

    def check(self) -> None:
        """Raise `InvalidRequest` for an unknown template, or an input that it needs or does not take."""
        super().check()
        row = self.row
        need_readable("text", self.text or "")
        for field, given, wanted in (("image", self.image, row.image), ("text", self.text, row.text)):
            if wanted and not (given and given.strip()):
                raise InvalidRequest(field, given, wanted, f"the template {row.name} needs it")
            if given and not wanted:
                raise InvalidRequest(field, given, "nothing", f"the template {row.name} takes no {field}")

    @property
    def endpoint(self) -> Endpoint:
        """Where it is sent, and its task is asked for."""
        return TEMPLATE_GENERATION

    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`: a part of the clip's key."""
        return {"template_id": self.row.id, "text": self.text or None}

    def older_identities(self) -> tuple[dict[str, Any], ...]:
        """Older versions distinguished no text from an empty one."""
        return () if self.text else ({"text": ""},)

    @property
    def label(self) -> str:
        """What makes the clip, for people."""
        return f"template {self.row.name}"

    @property
    def row(self) -> Template:
        """The catalogue's row of the template."""
        found = find_template(self.template)
        if found is None:
            names = [template.name for template in TEMPLATES]
            near = suggest(self.template, names)
            why = "no such template" + (f", did you mean {near}?" if near else "")
            raise InvalidRequest("template", self.template, names, why)
        return found

    @property
    def warnings(self) -> tuple[str, ...]:
        """A warning when the template was asked for by an id that is published wrongly."""
        if self.template.strip() in self.row.other_ids:
            return (f"template id {self.template} is a published slip; {self.row.id} is sent",)
        return ()

    @property
    def usd(self) -> float | None:
        """The published price in USD, or None when there is none."""
        return self.row.usd

    def body(self) -> dict[str, Any]:
        """The JSON of the wire."""
        body: dict[str, Any] = {"template_id": self.row.id}
        if self.image:
            body["media_inputs"] = [{"value": sendable("image", self.image)}]
        if self.text:
            body["text_inputs"] = [{"value": self.text}]
        if self.callback_url:
            body["callback_url"] = self.callback_url
        return body
