// What the page shows of the encodings: tokens, merges, lengths, the vocabulary.

const MAX_MAKING = 40; // merges that are named of a token

function show() {
  showSummary();
  showPart();
  showLengths();
  showFound();
}

function showSummary() {
  find("summary-caption").textContent = `${counted(state.sequence.length, "symbol")} under ${counted(tokenizers.length, "tokenizer")}`;
  find("summary").tBodies[0].replaceChildren(...tokenizers.map((tokenizer, index) => {
    const { encoding, why } = state.results[index];
    const head = [cell(keyOf(index)), cell(`${token(tokenizer.name)}${tokenizer.names?.overlap ? " (overlapping: each token is shown by its first base)" : ""}`, "long")];
    if (!encoding) return row(...head, element("td", { colspan: 5, class: "long why" }, why ?? ""), number(tokenizer.size));
    const { ids, starts, ends } = encoding;
    let [longest, unknown] = [0, 0];
    ids.forEach((id, at) => {
      longest = Math.max(longest, ends[at] - starts[at]);
      if (id === tokenizer.data.unknown) unknown++;
    });
    const ratio = ids.length ? (state.sequence.length / ids.length).toFixed(2) : "";
    return row(...head, number(ids.length), number(ratio), number(longest), number(new Set(ids).size), number(unknown), number(tokenizer.size));
  }));
}

const partEnd = () => Math.min(state.from + PART, state.sequence.length);

function showPart() {
  const { sequence, records, from } = state;
  const to = partEnd();
  find("part").textContent = sequence ? `Symbols ${count(from + 1)} to ${count(to)} of ${count(sequence.length)}` : "No symbols";
  find("part-back").disabled = from === 0;
  find("part-next").disabled = to >= sequence.length;
  find("part-go").max = Math.max(sequence.length, 1);
  const lines = tokenizers.flatMap((tokenizer, index) => {
    const { encoding } = state.results[index];
    if (!encoding) return [];
    const about = (token) => {
      const id = encoding.ids[token];
      return { title: `${shown(tokenizer.string(id))} \u00b7 id ${id}`, className: id === tokenizer.data.unknown ? " unknown" : "" };
    };
    return [{ key: keyOf(index), index, tokens: shownTokens(encoding, from, to), about }];
  });
  find("blocks").replaceChildren(...blocksOf(records, from, to).map((block) => blockElement(block, sequence, lines)));
  find("ids").querySelector("dl").replaceChildren(...lines.flatMap(({ key, index, tokens }) => [
    element("dt", {}, `${key} ${token(tokenizers[index].name)}`),
    element("dd", {}, tokens.map(([, , number]) => state.results[index].encoding.ids[number]).join(" ")),
  ]));
  showToken();
  showMerges();
}

function goTo(symbol) {
  const last = Math.max(state.sequence.length - 1, 0);
  const at = Math.min(Math.max(symbol, 0), last);
  state.from = at - (at % PART);
  state.token = state.made = -1;
  find("part-go").value = state.sequence ? at + 1 : 1;
  showPart();
}

// The token that is chosen, marked, with what is known of it.
function showToken() {
  for (const one of find("blocks").querySelectorAll(".chosen")) one.classList.remove("chosen");
  const { line, token: chosen } = state;
  const { encoding } = state.results[line];
  if (chosen < 0 || !encoding) {
    find("token").textContent = state.sequence ? "No token is chosen." : "";
    return;
  }
  const marked = find("blocks").querySelectorAll(`[data-line="${line}"][data-token="${chosen}"]`);
  for (const one of marked) one.classList.add("chosen");
  const tokenizer = tokenizers[line];
  const [id, start, end] = [encoding.ids[chosen], encoding.starts[chosen], encoding.ends[chosen]];
  const ranks = mergesMaking(tokenizer, id, MAX_MAKING);
  const steps = ranks.slice(-MAX_MAKING).map((rank) => `${tokenizer.parts(rank).map((part) => token(tokenizer.string(part))).join(" + ")} (rank ${count(rank)})`);
  const making = steps.length ? ` Made by ${ranks.length > MAX_MAKING ? `${count(MAX_MAKING)} and more merges, the last of them ` : ""}${steps.join(", ")}.` : "";
  find("token").textContent = `${keyOf(line)}: token ${count(chosen + 1)} of ${count(encoding.ids.length)}, ${token(tokenizer.string(id))}, id ${count(id)}, ${start + 1 === end ? `symbol ${count(end)}` : `symbols ${count(start + 1)} to ${count(end)}`}.${making}`;
}

function choose(line, chosen) {
  const { encoding } = state.results[line];
  if (!encoding || chosen < 0 || chosen >= encoding.ids.length) return;
  const start = encoding.starts[chosen];
  if (start >= partEnd() || encoding.ends[chosen] <= state.from) goTo(start);
  Object.assign(state, { line, token: chosen });
  showToken();
  find("blocks").querySelector(".chosen")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function chooseByKey(event) {
  const lines = tokenizers.map((_, index) => index).filter(isDone);
  if (!lines.length || event.ctrlKey || event.metaKey || event.altKey) return;
  const { line, token: chosen } = state;
  const { encoding } = state.results[line];
  const at = (index, symbol) => shownTokens(state.results[index].encoding, symbol, state.sequence.length)[0]?.[2] ?? -1;
  const beside = (step) => {
    const other = lines[lines.indexOf(line) + step];
    if (other !== undefined) choose(other, at(other, encoding.starts[chosen]));
  };
  const moves = {
    ArrowRight: () => choose(line, chosen + 1), ArrowLeft: () => choose(line, chosen - 1),
    ArrowDown: () => beside(1), ArrowUp: () => beside(-1),
    Enter: () => findInVocabulary(line, chosen),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  if (chosen < 0) choose(lines[0], at(lines[0], state.from));
  else moves[event.key]();
}

function findInVocabulary(line, chosen) {
  find("search-tokenizer").value = line;
  find("search").value = `#${state.results[line].encoding.ids[chosen]}`;
  state.rows = ROWS;
  showFound();
  find("search").focus();
}

// -- merges ------------------------------------------------------------------------------------------

function showMerges() {
  const index = Number(find("merge-tokenizer").value);
  const { encoding } = state.results[index];
  const hasMerges = Boolean(encoding?.removedAt);
  for (const id of ["step-control", "step-blocks", "step-list"]) find(id).hidden = !hasMerges;
  for (const id of ["first", "back", "next", "last"]) find(`step-${id}`).disabled = !hasMerges;
  if (!hasMerges) {
    find("step-text").textContent = encoding ? "k-mers are cut from the sequence directly; there are no merges." : "";
    return;
  }
  const to = partEnd();
  const merges = mergesOf(encoding, state.from, to);
  const made = state.made < 0 ? merges.length : Math.min(state.made, merges.length);
  find("step").max = merges.length;
  find("step").value = made;
  for (const id of ["first", "back"]) find(`step-${id}`).disabled = made === 0;
  for (const id of ["next", "last"]) find(`step-${id}`).disabled = made === merges.length;
  const tokenizer = tokenizers[index];
  const step = merges[made - 1] ?? 0;
  const seam = encoding.stepEnds[step - 1];
  const tokens = tokensAfter(encoding, state.from, to, step);
  const about = (_, first, end) => ({
    title: shown(state.sequence.slice(first, end)),
    className: step && first < seam && seam < end ? " fresh" : "",
  });
  const lines = [{ key: "", index: null, tokens, about }];
  find("step-blocks").replaceChildren(...blocksOf(state.records, state.from, to).map((block) => blockElement(block, state.sequence, lines)));
  const said = step ? describeMerge(tokenizer, encoding.steps[step - 1]) : "The symbols before the first merge";
  find("step-text").textContent = state.sequence ? `${count(made)} of ${counted(merges.length, "merge")}: ${said}; ${counted(tokens.length, "token")} in this part.` : "";
  showMergeList(tokenizer, encoding, merges, made);
}

function describeMerge(tokenizer, rank) {
  const [left, right] = tokenizer.parts(rank).map((part) => token(tokenizer.string(part)));
  return `rank ${count(rank)}, ${left} + ${right} = ${token(tokenizer.string(tokenizer.product(rank)))}`;
}

function showMergeList(tokenizer, encoding, merges, made) {
  const first = Math.max(0, Math.min(made - 5, merges.length - 10));
  const rows = merges.slice(first, first + 10).map((step, place) => {
    const rank = encoding.steps[step - 1];
    const [left, right] = tokenizer.parts(rank).map((part) => tokenizer.string(part));
    const product = tokenizer.product(rank);
    const start = encoding.stepEnds[step - 1] - left.length + 1;
    const button = element("button", { type: "button", "data-made": first + place + 1 }, count(first + place + 1));
    const shownRow = row(element("td", { class: "number" }, button), number(rank), cell(token(left), "string"), cell(token(right), "string"),
      cell(token(tokenizer.string(product)), "string"), number(product), number(start));
    if (first + place + 1 === made) shownRow.setAttribute("aria-current", "step");
    return shownRow;
  });
  find("step-list").querySelector("tbody").replaceChildren(...rows);
}

// Shows the tokens after so many merges of the part; -1 for all of them.
function setMade(made) {
  state.made = made;
  showMerges();
}

// -- lengths and vocabulary --------------------------------------------------------------------------

function showLengths() {
  const figures = tokenizers.flatMap((tokenizer, index) => {
    const { encoding } = state.results[index];
    return encoding?.ids.length ? [lengthsFigure(keyOf(index), token(tokenizer.name), encoding)] : [];
  });
  find("lengths").hidden = !figures.length;
  find("lengths").querySelector(".figures").replaceChildren(...figures);
}

function showFound() {
  const index = Number(find("search-tokenizer").value);
  const tokenizer = tokenizers[index];
  const numbers = numbersOf(state.results[index].encoding);
  const query = find("search").value.trim();
  state.found = searched(tokenizer, {
    query, place: find("search-place").value, hasCodes: find("search-codes").checked,
    hasReverse: find("search-reverse").checked, order: find("search-order").value,
  }, numbers);
  const ids = state.found.slice(0, state.rows);
  find("search-status").textContent = `${counted(state.found.length, "token")} of ${count(tokenizer.size)}${query ? " found" : ""}; ${count(ids.length)} shown.`;
  find("found-caption").textContent = `Tokens of ${token(tokenizer.name)}`;
  find("found").tBodies[0].replaceChildren(...ids.map((id) => foundRow(tokenizer, id, numbers)));
  find("more").hidden = ids.length >= state.found.length;
}
