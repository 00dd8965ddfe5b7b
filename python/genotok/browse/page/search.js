// The vocabulary of a tokenizer, searched.

const ROWS = 50;

// The pattern of a search; null for all tokens.
function patternOf(query, place, hasCodes, hasReverse) {
  if (!query) return null;
  const expression = (string) => Array.from(string, (character) => {
    const codes = hasCodes && CODES[character.toUpperCase()];
    return codes ? `[${codes}]` : character.replace(/[\\^$.*+?()[\]{}|\/-]/g, "\\$&");
  }).join("");
  const strings = hasReverse ? [query, reverseComplement(query)] : [query];
  const [before, behind] = { contains: ["", ""], starts: ["^", ""], ends: ["", "$"], is: ["^", "$"] }[place];
  return new RegExp(`${before}(?:${strings.map(expression).join("|")})${behind}`, "i");
}

// The ids of the tokens that are found, in an order.
function searched(tokenizer, { query, place, hasCodes, hasReverse, order }, numbers) {
  const wanted = /^#(\d+)$/.exec(query);
  if (wanted) return Number(wanted[1]) < tokenizer.size ? [Number(wanted[1])] : [];
  const pattern = patternOf(query, place, hasCodes, hasReverse);
  const ids = [];
  for (let id = 0; id < tokenizer.size; id++) if (!pattern || pattern.test(tokenizer.string(id))) ids.push(id);
  if (order === "longest") ids.sort((one, other) => tokenizer.string(other).length - tokenizer.string(one).length || one - other);
  if (order === "count") ids.sort((one, other) => (numbers.get(other) ?? 0) - (numbers.get(one) ?? 0) || one - other);
  return ids;
}

// How often each id is in an encoding.
function numbersOf(encoding) {
  const numbers = new Map();
  for (const id of encoding?.ids ?? []) numbers.set(id, (numbers.get(id) ?? 0) + 1);
  return numbers;
}

// The row of a token in the table.
function foundRow(tokenizer, id, numbers) {
  const string = tokenizer.string(id);
  const isBases = /^[ACGT]+$/i.test(string);
  const rank = tokenizer.made.get(id);
  const [left, right] = rank === undefined ? ["", ""] : tokenizer.parts(rank).map((part) => token(tokenizer.string(part)));
  const other = isBases ? tokenizer.idOf(reverseComplement(string)) : undefined;
  const reverse = !isBases ? "" : other === undefined ? "not a token" : `${token(reverseComplement(string))} \u00b7 id ${count(other)}`;
  return row(number(id), cell(token(string), "string"), number(string.length), number(rank), cell(left, "string"), cell(right, "string"),
    cell(reverse, "string"), number(numbers.get(id) ?? 0));
}

// The merges that make a token, in order of rank, at most `most` of them: its own is the last.
function mergesMaking(tokenizer, id, most) {
  const ranks = new Set();
  const open = [id];
  while (open.length && ranks.size <= most) {
    const rank = tokenizer.made.get(open.pop());
    if (rank === undefined || ranks.has(rank)) continue;
    ranks.add(rank);
    open.push(...tokenizer.parts(rank));
  }
  return [...ranks].sort((one, other) => one - other);
}
