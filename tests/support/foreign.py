"""Files tokenizer.json of other projects, made of their parts."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from tests.support import dna

Document = dict[str, Any]


SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


def added(content: str, number: int, **flags: bool) -> dict[str, Any]:
    """An added token: special and matched in raw text, unless flags say otherwise."""
    defaults = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": content, **defaults, **flags}


def document(symbols: str, merges: list[tuple[str, str]], specials: list[str] = SPECIALS) -> Document:
    """A file as Hugging Face writes it: special tokens, symbols, products."""
    tokens = dict.fromkeys([*specials, *symbols, *(left + right for left, right in merges)])
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(content, number) for number, content in enumerate(specials)],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "[UNK]",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [list(pair) for pair in merges],
        },
    }


MERGES = [
    ("A", "A"),
    ("T", "T"),
    ("A", "C"),
    ("G", "T"),
    ("AC", "GT"),
    ("N", "N"),
    ("NN", "NN"),
    ("A", "N"),
    ("AA", "AA"),
]


def base(**changes: Any) -> Document:
    """A small file over A, C, G, N, T and a hyphen that no merge joins, after changes to its parts."""
    made = document("ACGNT-", MERGES)
    made["model"].update(changes.pop("model", {}))
    made.update(changes)
    return made


def normalizer(*parts: Any) -> Document:
    return base(normalizer={"type": "Sequence", "normalizers": list(parts)} if len(parts) != 1 else parts[0])


def replace(pattern: str, content: str, kind: str = "String") -> Any:
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def split(pattern: str, behavior: str, kind: str = "String", *, invert: bool = False) -> Any:
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


STRIP = {"type": "Strip", "strip_left": True, "strip_right": True}
GENA = base(
    added_tokens=[*(added(content, number) for number, content in enumerate(SPECIALS)), added("-", 10)],
    normalizer={"type": "Sequence", "normalizers": [STRIP, replace("N{10,}", "-", "Regex")]},
    pre_tokenizer=split("-", "Isolated"),
    post_processor={"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
    decoder={"type": "BPEDecoder", "suffix": " "},
)


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def pre_tokenizer(*parts: Any) -> Document:
    return base(
        pre_tokenizer={"type": "Sequence", "pretokenizers": list(parts)} if len(parts) != 1 else parts[0]
    )


def lower() -> Document:
    """A lower-case alphabet with a normalizer, as GPN's."""
    made = document("acgt", [("a", "a"), ("c", "g"), ("aa", "cg"), ("t", "t")])
    made["normalizer"] = {"type": "Lowercase"}
    made["pre_tokenizer"] = {"type": "Whitespace"}
    return made


def plain_specials() -> Document:
    """Special tokens in the vocabulary only, as METAGENE-1's, with a character prepended."""
    made = document("_ACGT", [("A", "C"), ("_", "A"), ("_A", "C"), ("G", "T"), ("_", "T")])
    made["added_tokens"] = []
    made["normalizer"] = {"type": "Prepend", "prepend": "_"}
    made["pre_tokenizer"] = {"type": "Whitespace"}
    return made


def fallback() -> Document:
    """Tokens for all bytes, so that no character is unknown."""
    made = base()
    vocab = made["model"]["vocab"]
    vocab.update({f"<0x{byte:02X}>": len(vocab) + byte for byte in range(256)})
    made["model"].update(byte_fallback=True, fuse_unk=True)
    return made


def more_tokens(*tokens: str, **changes: Any) -> Document:
    made = base(**changes)
    for token in tokens:
        made["model"]["vocab"].setdefault(token, len(made["model"]["vocab"]))
    return made


def shuffled(seed: int) -> Document:
    """Ids in no order at all."""
    made = base(
        post_processor={
            "type": "RobertaProcessing",
            "sep": ["[SEP]", 2],
            "cls": ["[CLS]", 1],
            "trim_offsets": True,
            "add_prefix_space": False,
        }
    )
    numbers = list(range(len(made["model"]["vocab"])))
    random.Random(seed).shuffle(numbers)
    made["model"]["vocab"] = dict(zip(made["model"]["vocab"], numbers, strict=True))
    made["added_tokens"] = [added(token, made["model"]["vocab"][token]) for token in SPECIALS]
    return made


def with_added(*tokens: dict[str, Any], **changes: Any) -> Document:
    made = base(**changes)
    made["added_tokens"] += tokens
    return made


def template(single: list[Any], **ids: list[int]) -> Any:
    tokens = {
        name: {"id": name, "ids": numbers, "tokens": [name] * len(numbers)} for name, numbers in ids.items()
    }
    pair = [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


def around(name: str) -> Any:
    return {"SpecialToken": {"id": name, "type_id": 0}}


WHOLE = {"Sequence": {"id": "A", "type_id": 0}}
SUPPORTED: dict[str, Document] = {
    "plain": base(),
    "GENA-LM": GENA,
    "lower case": lower(),
    "METAGENE-1": plain_specials(),
    "byte fallback": fallback(),
    "byte fallback without bytes": base(model={"byte_fallback": True}),
    "ids in no order": shuffled(1),
    "old notation": base(model={"merges": ["#version: 0.2", *(" ".join(pair) for pair in MERGES)]}),
    "no type of normalizer": base(version="1.0", normalizer=None),
    # normalizers
    "strip": normalizer(STRIP),
    "strip left": normalizer({"type": "Strip", "strip_left": True, "strip_right": False}),
    "line ends out": normalizer(replace("\n", "")),
    "line ends out, upper case": normalizer(replace("\n", ""), *(replace(c.lower(), c) for c in "ACGTN")),
    "upper case, line ends out": normalizer(*(replace(c.lower(), c) for c in "ACGTN"), replace("\n", "")),
    "U is T": normalizer(replace("U", "T")),
    "anything else is N": normalizer(replace("[^ACGT]", "N", "Regex")),
    "anything else goes": normalizer(replace("[^ACGTN]+", "", "Regex")),
    "spaces in runs": normalizer(replace(r"\s+", " ", "Regex")),
    "strings": normalizer(replace("AC", "TTT"), replace("TG", "é")),
    "symbols swapped twice": normalizer(replace("A", "C"), replace("C", "G"), replace("é", "A")),
    "NFC": normalizer({"type": "NFC"}),
    "NFKD and accents": normalizer({"type": "NFKD"}, {"type": "StripAccents"}),
    "Nmt": normalizer({"type": "Nmt"}),
    "Bert": normalizer(
        {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": False,
        }
    ),
    "prepend": normalizer({"type": "Prepend", "prepend": "AC"}),
    "strip then prepend": normalizer(STRIP, {"type": "Prepend", "prepend": "-"}),
    # pre-tokenizers
    "Whitespace": pre_tokenizer({"type": "Whitespace"}),
    "WhitespaceSplit": pre_tokenizer({"type": "WhitespaceSplit"}),
    "Bert pre-tokenizer": pre_tokenizer({"type": "BertPreTokenizer"}),
    "Punctuation": pre_tokenizer({"type": "Punctuation", "behavior": "Isolated"}),
    "Digits": pre_tokenizer({"type": "Digits", "individual_digits": True}),
    "CharDelimiterSplit": pre_tokenizer({"type": "CharDelimiterSplit", "delimiter": "|"}),
    "delimiter is a symbol": pre_tokenizer({"type": "CharDelimiterSplit", "delimiter": "N"}),
    "each character": pre_tokenizer(split("", "Isolated")),
    "each character by regex": pre_tokenizer(split(".", "Isolated", "Regex")),
    "each N": pre_tokenizer(split("N", "Isolated")),
    "N removed": pre_tokenizer(split("N", "Removed")),
    "others removed": pre_tokenizer(split("[^ACGTN]+", "Removed", "Regex")),
    "symbols kept": pre_tokenizer(split("[ACGTN]+", "Removed", "Regex", invert=True)),
    "each symbol kept": pre_tokenizer(split("[ACGTN]", "Removed", "Regex", invert=True)),
    "hyphen merged": pre_tokenizer(split("-", "MergedWithNext")),
    "hyphens together": pre_tokenizer(split("-", "Contiguous")),
    "split by spaces": pre_tokenizer(split(r"\s+", "Removed", "Regex")),
    "ByteLevel": more_tokens("Ġ", "Ċ", "Ã", "©", pre_tokenizer=BYTES, decoder=BYTES),
    "ByteLevel without regex": pre_tokenizer({**BYTES, "use_regex": False}),
    "several": pre_tokenizer(split("N", "Isolated"), {"type": "WhitespaceSplit"}, BYTES),
    # models
    "fuse_unk": base(model={"fuse_unk": True}),
    "fuse_unk and spaces": base(model={"fuse_unk": True}, pre_tokenizer={"type": "WhitespaceSplit"}),
    "the unknown token is N": base(model={"unk_token": "N"}),
    "the unknown token is a hyphen": base(model={"unk_token": "-"}),
    "ignore_merges": base(model={"ignore_merges": True}),
    "no dropout": base(model={"dropout": 0.0}),
    "tokens that no merge makes": more_tokens("CCCC", "R", "é", "gattaca", "*", "\n"),
    # merges
    "a part after its product": base(model={"merges": [list(pair) for pair in reversed(MERGES)]}),
    "a merge twice": base(model={"merges": [list(pair) for pair in [*MERGES, MERGES[0], MERGES[3]]]}),
    "a product made twice": more_tokens(
        "CGT", model={"merges": [["G", "T"], ["C", "GT"], ["A", "CGT"], ["A", "C"], ["AC", "GT"]]}
    ),
    "no merges": base(model={"merges": []}),
    # added tokens
    "added after the vocabulary": with_added(added("<x>", 20), added("<y>", 21, special=False)),
    "added, one in the other": with_added(added("<x", 20), added("<x>", 21), added("x>", 22)),
    "added with white space": with_added(added("<l>", 20, lstrip=True), added("<r>", 21, rstrip=True)),
    "added and normalized": with_added(
        added("<Acg>", 20, normalized=True, special=False), added("<A>", 21), normalizer=replace("g", "A")
    ),
    "added, normalized, without normalizer": with_added(added("<x>", 20, normalized=True, special=False)),
    "a symbol is special": with_added(added("N", 8)),
    # post-processing
    "template": base(post_processor=template([around("x"), WHOLE, around("y")], x=[1], y=[2, 2])),
    "template in front": base(post_processor=template([around("x"), WHOLE], x=[3])),
    "template of nothing": base(post_processor=template([WHOLE])),
    "post_processors": base(
        post_processor={
            "type": "Sequence",
            "processors": [
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True},
                {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
                template([around("x"), WHOLE], x=[4]),
            ],
        }
    ),
}


texts = st.lists(
    st.one_of(
        dna.words,
        st.text(alphabet="ACGTN", max_size=30),
        st.text(alphabet="acgtnACGTN-_ \n", max_size=12),
        st.sampled_from(
            [
                *SPECIALS,
                "NNNNNNNNN",
                "N" * 10,
                "N" * 25,
                "<x>",
                "<l>",
                " <l> ",
                "<r>  ",
                "<x",
                "<acg>",
                "<Acg>",
                "<A>",
                "<AcA>",
            ]
        ),
        st.sampled_from(
            [
                "é",
                "e\u0301",
                "\u212a",
                "\u2003",
                "ÃĠ",
                "🧬",
                "\ufeff",
                "|",
                "*",
                "7",
                "'t",
                "x>",
                "U",
                "R",
                "\r\n",
                "\x00",
            ]
        ),
    ),
    max_size=7,
).map("".join)
