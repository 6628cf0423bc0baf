"""Fonts with traditional Chinese characters, those of print first: what is looked for on the machine."""

from __future__ import annotations

FONTS = (
    "Noto Serif CJK TC",
    "Source Han Serif TC",
    "Songti TC",
    "PMingLiU",
    "AR PL UMing TW",
    "Noto Sans CJK TC",
    "Source Han Sans TC",
    "PingFang TC",
    "Microsoft JhengHei",
)
