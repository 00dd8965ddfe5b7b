// The page: what is typed is read, encoded with each tokenizer, and shown.

const MAX_SYMBOLS = 1_000_000;
const AT_ONCE = 100_000; // steps of work between two looks at the user's input
const LONG = 50_000; // symbols of a sequence that the page encodes in parts, so that it does not freeze

const page = JSON.parse(find("data").textContent);
const tokenizers = page.tokenizers.map((data) => new PageTokenizer(data));
const keyOf = (index) => KEYS[index] ?? String(index + 1);
const state = { run: 0, sequence: "", records: [], results: tokenizers.map(() => ({})), from: 0, line: 0, token: -1, made: -1, found: [], rows: ROWS };

const isDone = (index) => Boolean(state.results[index].encoding);

// -- reading and encoding ----------------------------------------------------------------------------

async function update() {
  const run = ++state.run;
  const isText = find("mode").value === "text";
  const { sequence, records, format } = readRecords(find("text").value, isText);
  const isTooLong = sequence.length > MAX_SYMBOLS;
  Object.assign(state, { sequence: isTooLong ? "" : sequence, records: isTooLong ? [] : records, from: 0, token: -1, made: -1 });
  if (isTooLong) {
    state.results = tokenizers.map(() => ({}));
    find("status").textContent = `${count(sequence.length)} symbols: this page takes up to ${count(MAX_SYMBOLS)}, so nothing is encoded. Paste a part, or use genotok encode.`;
    return show();
  }
  const described = describe(sequence, records, format);
  const isLong = sequence.length > LONG;
  find("status").textContent = isLong ? `${described} Encoding\u2026` : described;
  if (isLong) {
    state.results = tokenizers.map(() => ({}));
    show();
  }
  const results = [];
  for (const tokenizer of tokenizers) {
    try {
      const encoding = tokenizer.start(sequence, records, find("upper").checked);
      while (!encoding.advance(AT_ONCE)) {
        await pause();
        if (run !== state.run) return;
      }
      results.push({ encoding });
    } catch (error) {
      if (!(error instanceof ReadingError)) throw error;
      results.push({ why: `${error.message} (symbol ${count(error.at + 1)})` });
    }
    if (isLong) await pause();
    if (run !== state.run) return;
  }
  state.results = results;
  find("status").textContent = described;
  show();
}

// What was read, in words.
function describe(sequence, records, format) {
  if (!sequence) return format === "FASTA" || format === "FASTQ" ? `${format} with no sequence yet.` : "Nothing to encode yet.";
  const kinds = { bases: 0, lower: 0, n: 0, other: 0 };
  for (const symbol of sequence) {
    if ("ACGT".includes(symbol)) kinds.bases++;
    else if ("acgt".includes(symbol)) { kinds.bases++; kinds.lower++; }
    else if (symbol === "N" || symbol === "n") kinds.n++;
    else kinds.other++;
  }
  const parts = [`${counted(kinds.bases, "base")}${kinds.lower ? ` (${count(kinds.lower)} lower case)` : ""}`];
  if (kinds.n) parts.push(`${count(kinds.n)} N`);
  if (kinds.other) parts.push(`${counted(kinds.other, "other symbol")}`);
  const from = format === "FASTA" || format === "FASTQ" ? ` in ${counted(records.length, `${format} record`)}` : "";
  const names = from ? `: ${records.slice(0, 3).map((record) => shown(record.name) || "without a name").join(", ")}${records.length > 3 ? ", \u2026" : ""}` : "";
  return `${parts.join(", ")}${from}${names}.`;
}

// -- start -------------------------------------------------------------------------------------------

function start() {
  for (const id of ["merge-tokenizer", "search-tokenizer"]) {
    find(id).append(...tokenizers.map((tokenizer, index) => element("option", { value: index }, `${keyOf(index)} ${token(tokenizer.name)}`)));
  }
  find("text").value = page.sequence;
  find("text").addEventListener("input", later(update, 150));
  find("mode").addEventListener("change", update);
  find("upper").addEventListener("change", update);
  find("clear").addEventListener("click", () => { find("text").value = ""; find("text").focus(); update(); });
  find("reverse").addEventListener("click", () => {
    const { records } = state;
    const others = records.map(({ name, start, end }) => (name ? `>${name}\n` : "") + reverseComplement(state.sequence.slice(start, end)));
    if (state.sequence) find("text").value = others.join("\n");
    update();
  });
  find("part-back").addEventListener("click", () => goTo(state.from - PART));
  find("part-next").addEventListener("click", () => goTo(state.from + PART));
  find("part-go").addEventListener("change", () => goTo(Math.floor(Number(find("part-go").value) || 1) - 1));
  find("blocks").addEventListener("keydown", chooseByKey);
  find("blocks").addEventListener("click", ({ target }) => {
    if (target.dataset.token) choose(Number(target.dataset.line), Number(target.dataset.token));
  });
  find("merge-tokenizer").addEventListener("change", () => setMade(-1));
  find("step").addEventListener("input", () => setMade(Number(find("step").value)));
  find("step-first").addEventListener("click", () => setMade(0));
  find("step-back").addEventListener("click", () => setMade(Math.max(Number(find("step").value) - 1, 0)));
  find("step-next").addEventListener("click", () => setMade(Number(find("step").value) + 1));
  find("step-last").addEventListener("click", () => setMade(-1));
  find("step-list").addEventListener("click", ({ target }) => {
    if (!target.dataset.made) return;
    setMade(Number(target.dataset.made));
    find("step-list").querySelector(`[data-made="${target.dataset.made}"]`)?.focus();
  });
  const search = () => { state.rows = ROWS; showFound(); };
  find("search").addEventListener("input", later(search, 150));
  for (const id of ["search-tokenizer", "search-place", "search-codes", "search-reverse", "search-order"]) find(id).addEventListener("change", search);
  find("more").addEventListener("click", () => { state.rows += 4 * ROWS; showFound(); });
  update();
}

start();
