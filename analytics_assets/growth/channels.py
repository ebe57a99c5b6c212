"""Channel names of vendors, and the rules that map them to channels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class ChannelRule:
    """A rule that maps raw names to a channel; it has a name or a pattern.

    Attributes:
        source: System that writes the raw name, such as airbridge.
        channel: Channel of the raw names.
        name: The raw name, exactly; case matters.
        pattern: Pattern of raw names, with * and ?; case matters.
    """

    source: str
    channel: str
    name: str | None = None
    pattern: str | None = None

    @property
    def text(self) -> str:
        """The rule for people."""
        return f"pattern {self.pattern}" if self.name is None else f"name {self.name}"

    def matches(self, source: str, raw_name: str) -> bool:
        """True if the rule maps this raw name."""
        if source != self.source:
            return False
        return raw_name == self.name if self.pattern is None else fnmatchcase(raw_name, self.pattern)


def find_rule(rules: Sequence[ChannelRule], source: str, raw_name: str) -> ChannelRule | None:
    """The rule of a raw name: an exact name first, then the first pattern that matches."""
    matching = [rule for rule in rules if rule.matches(source, raw_name)]
    return next((rule for rule in matching if rule.pattern is None), matching[0] if matching else None)


def duplicate_rules(rules: Iterable[ChannelRule]) -> list[int]:
    """Positions of rules whose name or pattern an earlier rule of the same source has."""
    seen: set[tuple[str, str | None, str | None]] = set()
    positions = []
    for position, rule in enumerate(rules):
        key = (rule.source, rule.name, rule.pattern)
        if key in seen:
            positions.append(position)
        seen.add(key)
    return positions
