"""Where the rows of the tables come from."""

SOURCES: dict[str, str] = {
    "scope": "MiniMax-AI/skills, minimax-multimodal-toolkit/references/video-api.md, 2026-03-25",
    "t2v": "platform.minimax.io/docs/api-reference/video-generation-t2v",
    "i2v": "platform.minimax.io/docs/api-reference/video-generation-i2v",
    "fl2v": "platform.minimax.io/docs/api-reference/video-generation-fl2v",
    "s2v": "platform.minimax.io/docs/api-reference/video-generation-s2v",
    "guide": "platform.minimax.io/docs/guides/video-generation, the sample for subject reference",
    "query": "platform.minimax.io/docs/api-reference/video-generation-query",
    "download": "platform.minimax.io/docs/api-reference/video-generation-download",
    "agent": "platform.minimaxi.com/docs/api-reference/video-agent-create",
    "templates-cn": "platform.minimaxi.com/docs/faq/video-agent-templates",
    "templates-en": "platform.minimax.io/docs/faq/video-agent-templates",
    "errors": "platform.minimax.io/docs/api-reference/errorcode",
    "cli": "github.com/MiniMax-AI/cli, src/errors/api.ts",
    "mcp": "PyPI minimax-mcp 0.0.19",
    "prices": "platform.minimax.io/docs/guides/pricing-paygo, read 2026-07-10",
    "prices-old": "platform.minimax.io, Historical Model Pricing",
    "v2": "platform.minimax.io/docs/api-reference/video-generation-v2-create",
    "v2-cn": "platform.minimaxi.com/docs/api-reference/video-generation-v2-create, newest copy",
    "h3r": "github.com/MiniMax-AI/MiniMax-H3 @8d8824e, 2026-08-06",
    "hoobnn": "PyPI hoobnn-minimax-mcp 0.3.0, its catalogue of 2026-10-24",
    "paygo-h3": "platform.minimax.io/docs/guides/pricing-paygo, as read by others until 2026-10-08",
    "live": "answers of the live service recorded by its users, 2025-08 to 2026-09",
}
"""Short name -> the page, repository or recording."""
