"use strict";
// How a text is read: the records of what was pasted, the table of characters of a tokenizer, and added tokens.

const SPACES = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;
const isSpace = (text, at) => SPACES.test(text[at]);

// The records of a pasted text: one string of all symbols, and name, start and end of each record in it.
// FASTA and FASTQ are recognised by their first character; anything else is one sequence, without white space.
// With `isText` the text is taken as it is, as `Tokenizer.encode` takes it.
function readRecords(text, isText) {
  if (isText) return { sequence: text, records: [{ name: "", start: 0, end: text.length }], format: "text" };
  const first = text.trimStart()[0];
  const format = first === ">" ? "FASTA" : first === "@" ? "FASTQ" : "sequence";
  const records = format === "sequence" ? [{ name: "", lines: [text] }] : recordsOf(text.trimStart().split(/\r\n|\n|\r/), format);
  let start = 0;
  const parts = records.map(({ name, lines }) => {
    const symbols = lines.join("").replace(/\s+/g, "");
    start += symbols.length;
    return { symbols, record: { name, start: start - symbols.length, end: start } };
  });
  return {
    sequence: parts.map((part) => part.symbols).join(""), records: parts.map((part) => part.record), format,
  };
}

// The titles and lines of FASTA or FASTQ. The quality of FASTQ is as long as its sequence.
function recordsOf(lines, format) {
  const records = [];
  let missing = -1; // symbols of quality that are still to come; -1 in a sequence
  for (const line of lines) {
    const record = records[records.length - 1];
    if (missing > 0) missing -= line.trim().length;
    else if (line[0] === (format === "FASTA" ? ">" : "@")) {
      records.push({ name: line.slice(1).trim().split(/\s+/)[0], lines: [] });
      missing = -1;
    } else if (format === "FASTQ" && line[0] === "+" && record) {
      missing = record.lines.join("").replace(/\s+/g, "").length;
    } else if (record && missing < 0) record.lines.push(line);
  }
  return records;
}

// Finds added tokens: the leftmost, of several there the longest.
class AddedTokens {
  constructor(tokens) {
    this.tokens = new Map(tokens.map((token) => [token[0], token]));
    const strings = [...this.tokens.keys()].sort((one, other) => other.length - one.length);
    const escaped = strings.map((string) => string.replace(/[\\^$.*+?()[\]{}|\/-]/g, "\\$&"));
    this.pattern = escaped.length ? new RegExp(escaped.join("|"), "g") : null;
  }

  // The parts of a text in order: [start, end, id], the id null of plain text.
  parts(text) {
    if (!this.pattern) return text ? [[0, text.length, null]] : [];
    const found = [];
    let done = 0;
    for (const match of text.matchAll(this.pattern)) {
      const [, id, stripsLeft, stripsRight] = this.tokens.get(match[0]);
      let start = match.index;
      let end = start + match[0].length;
      if (stripsLeft) while (start > done && isSpace(text, start - 1)) start--;
      if (stripsRight) while (end < text.length && isSpace(text, end)) end++;
      if (done < start) found.push([done, start, null]);
      found.push([Math.max(start, done), end, id]);
      done = end;
    }
    if (done < text.length) found.push([done, text.length, null]);
    return found;
  }
}

// What a tokenizer does with each character of a text.
class CharacterTable {
  constructor(data) {
    this.data = data;
    let number = 0;
    this.ascii = [...data.ascii].map((kind) => ({ kind, id: kind === "s" || kind === "a" ? data.ascii_ids[number++] : 0 }));
    this.first = new AddedTokens(data.added.filter((token) => !token[4]));
    this.second = new AddedTokens(data.added.filter((token) => token[4]));
  }

  // What the character at `at` is; throws a ReadingError where the table does not say it.
  entry(text, at, isUpper) {
    let code = text.charCodeAt(at);
    if (code < 128) {
      if (isUpper && code >= 97 && code <= 122) code -= 32;
      const entry = this.ascii[code];
      if (entry.kind === "?") {
        throw new ReadingError(at, `how ${shown(text[at])} is read depends on what is beside it, which this page does not carry out`);
      }
      return entry;
    }
    const { others } = this.data;
    if (typeof others === "string") {
      throw new ReadingError(at, `${shown(String.fromCodePoint(text.codePointAt(at)))} is not ASCII: ${others}, which this page does not carry out`);
    }
    if (this.data.drops_other_space && isSpace(text, at)) return DROPPED;
    return others;
  }

  // Hands out the pieces of `text` from `start` to `end`: `symbol(id, start, end)`, `token(id, start, end)` for all that
  // nothing joins, `unknown(start, end)`, and `cut()` where a word ends for any other reason.
  read(text, start, end, isUpper, take) {
    for (const [from, to, id] of this.first.parts(text.slice(start, end))) {
      if (id === null) this.section(text, start + from, start + to, isUpper, take);
      else take.token(id, start + from, start + to);
    }
  }

  section(text, start, end, isUpper, take) {
    if (!this.second.pattern) return this.stretch(text, start, end, isUpper, take);
    const part = text.slice(start, end);
    // Upper-casing comes before these tokens are looked for only in a part that is not ASCII, as in the library.
    const normal = isUpper && /[^\0-\x7f]/.test(part) ? part.replace(/[a-z]/g, (symbol) => symbol.toUpperCase()) : part;
    for (const [from, to, id] of this.second.parts(normal)) {
      if (id === null) this.stretch(text, start + from, start + to, isUpper, take);
      else take.token(id, start + from, start + to);
    }
  }

  stretch(text, start, end, isUpper, take) {
    take.cut();
    let unknown = -1; // where unknown characters start that are one token
    let at = start;
    while (at < end) {
      const { kind, id } = this.entry(text, at, isUpper);
      const next = at + (text.codePointAt(at) > 0xffff ? 2 : 1);
      if (kind === "u" && this.data.fuses_unknown) {
        if (unknown < 0) unknown = at;
        at = next;
        continue;
      }
      if (unknown >= 0) take.unknown(unknown, at);
      unknown = -1;
      if (kind === "s") take.symbol(id, at, next);
      else if (kind === "a") take.token(id, at, next);
      else if (kind === "u") take.unknown(at, next);
      else take.cut();
      at = next;
    }
    if (unknown >= 0) take.unknown(unknown, end);
    take.cut();
  }
}

const DROPPED = { kind: "d", id: 0 };

// A text that a tokenizer cannot read, with the place.
class ReadingError extends Error {
  constructor(at, message) {
    super(message);
    this.at = at;
  }
}

// A string as text that shows its control characters.
function shown(string) {
  return JSON.stringify(string).slice(1, -1).replace(/\\"/g, '"').replace(/\\\\/g, "\\")
    .replace(/[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
