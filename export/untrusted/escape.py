"""Text from files, made plain for where it is shown: nothing in it can act there."""

import html as _html
import re
import unicodedata

# Control characters, those that turn the direction of writing, and halves of pairs.
_ACTING = {"Cc", "Cf", "Cs"}
# An underscore within a word means nothing.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_]))")


def terminal(text, keep=""):
    """Text with its control characters as escapes, such as `\\x1b`.

    Args:
        text: anything.
        keep: characters that stay, such as newlines in a message of several lines.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        letter if letter in keep or unicodedata.category(letter) not in _ACTING else _code(letter)
        for letter in text
    )


def markdown(text):
    """Text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", terminal(_one_line(text)))


def markdown_code(text):
    """A code span of Markdown with this text, whatever backticks are in it."""
    text = terminal(_one_line(text))
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def html(text):
    """Text that HTML shows as it is, between tags and in attributes."""
    return _html.escape(terminal(text, keep="\n\t"))


def _one_line(text):
    return " ".join(str(text).splitlines())


def _code(letter):
    return letter.encode("unicode_escape", "backslashreplace").decode()
