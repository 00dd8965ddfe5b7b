// Merges and k-mers: from symbols to tokens.

const RANK = 2 ** 24; // a key of the queue is rank * RANK + place: the lowest rank first, then the leftmost

// A queue of numbers, the smallest first: a binary heap.
class Queue {
  constructor(capacity) {
    this.keys = new Float64Array(capacity);
    this.size = 0;
  }

  push(key) {
    const { keys } = this;
    let at = this.size++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (keys[above] <= key) break;
      keys[at] = keys[above];
      at = above;
    }
    keys[at] = key;
  }

  pop() {
    const { keys } = this;
    const smallest = keys[0];
    const key = keys[--this.size];
    let at = 0;
    for (let below = 1; below < this.size; below = 2 * at + 1) {
      if (below + 1 < this.size && keys[below + 1] < keys[below]) below++;
      if (keys[below] >= key) break;
      keys[at] = keys[below];
      at = below;
    }
    keys[at] = key;
    return smallest;
  }
}

// Byte-pair merges applied to a text: the lowest rank first, of equal ones the leftmost.
//
// Tokens are a linked list over the symbols; the queue holds a key for each adjacent pair that is a merge. A key whose pair
// has changed is recognised when it comes up. Time: n log n for n symbols. `advance` does a part of the work.
class MergeEncoding {
  constructor(tokenizer, text, records, isUpper) {
    const size = text.length;
    this.tokenizer = tokenizer;
    this.id = new Int32Array(size);
    this.start = new Int32Array(size);
    this.end = new Int32Array(size);
    this.next = new Int32Array(size).fill(-1);
    this.before = new Int32Array(size).fill(-1);
    this.nodes = 0;
    this.removedAt = new Int32Array(size + 1); // the number of the merge that removed the boundary at a position
    this.isFirst = new Uint8Array(size + 1); // whether a symbol or token starts at a position before any merge
    this.steps = []; // the merges made: their ranks
    this.stepEnds = []; // and where the right part of each starts
    let last = -1; // the symbol that the next one may join
    const add = (id, start, end, joins) => {
      const node = this.nodes++;
      this.id[node] = id;
      this.start[node] = start;
      this.end[node] = end;
      this.isFirst[start] = 1;
      if (joins && last >= 0) {
        this.next[last] = node;
        this.before[node] = last;
      }
      last = joins ? node : -1;
    };
    const unknown = tokenizer.data.unknown;
    for (const record of records) {
      tokenizer.table.read(text, record.start, record.end, isUpper, {
        symbol: (id, start, end) => add(id, start, end, true),
        token: (id, start, end) => add(id, start, end, false),
        unknown: (start, end) => add(unknownOr(unknown, text, start), start, end, false),
        cut: () => { last = -1; },
      });
    }
    this.queue = new Queue(3 * this.nodes + 1);
    for (let node = 0; node < this.nodes; node++) this.offer(node);
  }

  offer(node) {
    const right = this.next[node];
    if (right < 0) return;
    const rank = this.tokenizer.rankOfPair(this.id[node], this.id[right]);
    if (rank !== undefined) this.queue.push(rank * RANK + node);
  }

  // Makes up to `count` steps of work; true when all is done.
  advance(count) {
    const { queue, id, next, before, tokenizer } = this;
    for (; count > 0 && queue.size > 0; count--) {
      const key = queue.pop();
      const rank = Math.floor(key / RANK);
      const node = key - rank * RANK;
      const right = next[node];
      if (right < 0 || id[node] < 0 || tokenizer.rankOfPair(id[node], id[right]) !== rank) continue;
      this.steps.push(rank);
      this.stepEnds.push(this.start[right]);
      this.removedAt[this.start[right]] = this.steps.length;
      id[node] = tokenizer.product(rank);
      this.end[node] = this.end[right];
      id[right] = -1;
      next[node] = next[right];
      next[right] = -1;
      if (next[node] >= 0) before[next[node]] = node;
      this.offer(node);
      if (before[node] >= 0) this.offer(before[node]);
    }
    if (queue.size > 0) return false;
    if (!this.ids) this.collect();
    return true;
  }

  collect() {
    const kept = [];
    for (let node = 0; node < this.nodes; node++) if (this.id[node] >= 0) kept.push(node);
    const taken = (values) => Int32Array.from(kept, (node) => values[node]);
    [this.ids, this.starts, this.ends] = [taken(this.id), taken(this.start), taken(this.end)];
  }
}

// k-mers of a text. Overlapping ones start at each base; others every k bases of a run of bases, and what is left of it and
// other symbols are tokens one by one.
class KmerEncoding {
  constructor(tokenizer, text, records, isUpper) {
    this.steps = [];
    const { data, names } = tokenizer;
    const [ids, starts, ends] = [[], [], []];
    const add = (id, start, end) => { ids.push(id); starts.push(start); ends.push(end); };
    let symbols = []; // [code, start, end] of the text since the last added token; code -1 of unknown ones
    const flush = () => {
      if (names.overlap) overlapping(symbols, tokenizer, text, add);
      else nonOverlapping(symbols, tokenizer, text, add);
      symbols = [];
    };
    for (const record of records) {
      for (const [from, to, id] of tokenizer.table.first.parts(text.slice(record.start, record.end))) {
        if (id !== null) {
          flush();
          add(id, record.start + from, record.start + to);
          continue;
        }
        for (let at = record.start + from; at < record.start + to;) {
          const { kind, id: code } = tokenizer.table.entry(text, at, isUpper);
          const next = at + (text.codePointAt(at) > 0xffff ? 2 : 1);
          if (kind !== "s") unknownOr(data.unknown, text, at);
          symbols.push([kind === "s" ? code : -1, at, next]);
          at = next;
        }
      }
      flush();
    }
    [this.ids, this.starts, this.ends] = [ids, starts, ends].map((values) => Int32Array.from(values));
  }

  advance() {
    return true;
  }
}

function overlapping(symbols, { names, data }, text, add) {
  const { k, first } = names;
  let run = 0;
  names.clear();
  symbols.forEach(([code, , end], place) => {
    run = code >= 0 && code < 4 ? run + 1 : 0;
    if (run) names.push(code);
    if (place + 1 < k) return;
    add(run >= k ? first + names.name() : data.unknown, symbols[place + 1 - k][1], end);
  });
}

function nonOverlapping(symbols, { names, data }, text, add) {
  const { k, first } = names;
  let at = 0;
  while (at < symbols.length) {
    let length = 0;
    names.clear();
    while (length < k && at + length < symbols.length && isBase(symbols[at + length][0])) names.push(symbols[at + length++][0]);
    if (length === k) {
      add(first + names.name(), symbols[at][1], symbols[at + k - 1][2]);
      at += k;
      continue;
    }
    const [code, start, end] = symbols[at++];
    const id = isBase(code) ? first + names.count + names.single(code) : code === 4 ? first + names.anyBase : data.unknown;
    add(id, start, end);
  }
}

const isBase = (code) => code >= 0 && code < 4;

// The unknown token, or an error where there is none.
function unknownOr(unknown, text, at) {
  if (unknown !== null) return unknown;
  throw new ReadingError(at, `${shown(String.fromCodePoint(text.codePointAt(at)))} is not in the vocabulary, which has no unknown token`);
}

// The names of k-mers: numbers from 0. Codes of bases are A 0, T 1, C 2, G 3.
//
// Plain ones are numbers in base 4 in this order. Canonical ones are named by their halves, as rust/src/kmer/canonical.rs says.
class KmerNames {
  constructor({ k, overlap, canonical, first }) {
    Object.assign(this, { k, overlap, canonical, first });
    const all = 4 ** k;
    this.count = !canonical ? all : k % 2 ? all / 2 : (all + 2 ** k) / 2;
    const singles = overlap || k === 1 ? 0 : canonical ? 2 : 4;
    this.anyBase = overlap ? -1 : this.count + singles;
    this.size = this.count + singles + (overlap ? 0 : 1);
    this.clear();
  }

  clear() {
    this.forward = this.backward = 0;
  }

  // The next base of a run.
  push(code) {
    const digit = this.canonical ? [0, 3, 1, 2][code] : code;
    const top = 4 ** (this.k - 1);
    this.forward = (this.forward % top) * 4 + digit;
    this.backward = Math.floor(this.backward / 4) + (3 - digit) * top;
  }

  // The name of the last k bases.
  name() {
    if (!this.canonical) return this.forward;
    const rest = 4 ** Math.floor(this.k / 2);
    const halves = [Math.floor(this.forward / rest), Math.floor(this.backward / rest)];
    return Math.min(...halves) + this.row(this.k % 2 ? Math.floor(Math.max(...halves) / 4) : Math.max(...halves));
  }

  row(q) {
    return this.k % 2 ? 2 * q * q : (q * (q + 1)) / 2;
  }

  single(code) {
    return this.canonical ? (code >= 2 ? 1 : 0) : code;
  }

  // The string of a name.
  spell(name) {
    if (name >= this.count) {
      if (name === this.anyBase) return "N";
      return (this.canonical ? "AC" : "ATCG")[name - this.count];
    }
    const digits = (number, count, order) => {
      let string = "";
      for (let place = 0; place < count; place++, number = Math.floor(number / 4)) string = order[number % 4] + string;
      return string;
    };
    if (!this.canonical) return digits(name, this.k, "ATCG");
    let [q, end] = [0, 4 ** Math.floor(this.k / 2)];
    while (q + 1 < end) {
      const between = Math.floor((q + end) / 2);
      if (this.row(between) <= name) q = between; else end = between;
    }
    const second = [...digits(q, Math.floor(this.k / 2), "TGCA")].reverse().join("");
    return digits(name - this.row(q), Math.ceil(this.k / 2), "ACGT") + second;
  }
}
