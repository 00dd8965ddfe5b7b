// The tokens of a part of the sequence: the same symbols in the same places, a line for each tokenizer.

const PART = 360; // symbols that are shown at a time
const BLOCK = 30; // symbols in a block, which fits a phone
const KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// The tokens of an encoding in a part: [first, end, number], each shown from its start to that of the next one.
function shownTokens(encoding, from, to) {
  const { starts, ends } = encoding;
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] > from) high = middle; else low = middle + 1;
  }
  const tokens = [];
  for (let number = low; number < starts.length && starts[number] < to; number++) {
    const next = number + 1 < starts.length ? starts[number + 1] : ends[number];
    const end = Math.max(Math.min(ends[number], next), starts[number] + 1);
    if (end > from) tokens.push([starts[number], end, number]);
  }
  return tokens;
}

// The blocks of a part of some records: start and end, and the name and place of the start.
function blocksOf(records, from, to) {
  const blocks = [];
  for (const { name, start, end } of records) {
    const last = Math.min(end, to);
    for (let at = Math.max(start, from); at < last; at += BLOCK) {
      const isFirst = at === start || blocks.length === 0;
      const label = records.length > 1 || name ? `${isFirst ? `${name || "record"} ` : ""}${count(at - start + 1)}` : count(at + 1);
      blocks.push({ start: at, end: Math.min(at + BLOCK, last), label });
    }
  }
  return blocks;
}

// A block as an element. `lines` has the key, tokens and a function that describes each of them.
function blockElement({ start, end, label }, sequence, lines) {
  const place = element("div", { class: "line place", "aria-hidden": "true" }, element("span", { class: "key" }), label);
  return element("div", { class: "block" }, place, ...lines.map(({ key, index, tokens, about }) => {
    const line = element("div", { class: "line" }, element("span", { class: "key" }, key));
    let done = start;
    const plain = (to) => {
      if (to > done) line.append(element("span", { class: "t none", title: "no token" }, symbolsOf(sequence, done, to)));
    };
    for (const [first, stop, number] of tokens) {
      if (stop <= start || first >= end) continue;
      const [from, to] = [Math.max(first, start), Math.min(stop, end)];
      plain(from);
      const { title, className } = about(number, first, stop);
      const classes = `t${number % 2 ? " odd" : ""}${first >= start ? " begins" : ""}${className}`;
      line.append(element("span", { class: classes, title, "data-line": index, "data-token": number }, symbolsOf(sequence, from, to)));
      done = to;
    }
    plain(end);
    return line;
  }));
}

const symbolsOf = (sequence, from, to) => Array.from(sequence.slice(from, to), visible).join("");

// The boundaries of a part after some of the merges of an encoding, as tokens: [first, end, number].
function tokensAfter(encoding, from, to, made) {
  const { removedAt, isFirst } = encoding;
  const isStart = (at) => isFirst[at] && (removedAt[at] === 0 || removedAt[at] > made);
  const finals = shownTokens(encoding, from, to); // no token is longer than the one that it becomes part of
  const tokens = [];
  for (const [first, end] of finals) {
    let start = first;
    for (let at = first + 1; at <= end; at++) {
      if (at < end && !isStart(at)) continue;
      tokens.push([start, at, tokens.length]);
      start = at;
    }
  }
  return tokens;
}

// The merges that remove a boundary of a part, in order: their numbers, from 1.
function mergesOf(encoding, from, to) {
  const merges = [];
  for (let at = from + 1; at < to; at++) if (encoding.removedAt[at] > 0) merges.push(encoding.removedAt[at]);
  return merges.sort((one, other) => one - other);
}
