// How many tokens have which length, as a bar chart for each tokenizer, and as a table.

const MAX_BARS = 32;

// Numbers of tokens by length, in bars of equal width: [shortest, longest, tokens].
function lengthsOf({ starts, ends }) {
  const numbers = new Map();
  for (let at = 0; at < starts.length; at++) {
    const length = ends[at] - starts[at];
    numbers.set(length, (numbers.get(length) ?? 0) + 1);
  }
  let longest = 0;
  for (const length of numbers.keys()) longest = Math.max(longest, length);
  const width = Math.ceil(longest / MAX_BARS);
  const bars = [];
  for (let first = 1; first <= longest; first += width) bars.push([first, first + width - 1, 0]);
  for (const [length, number] of numbers) if (length > 0) bars[Math.floor((length - 1) / width)][2] += number;
  return bars;
}

function lengthsFigure(key, name, encoding) {
  const bars = lengthsOf(encoding);
  const most = Math.max(1, ...bars.map(([, , number]) => number));
  const label = ([first, last]) => (first === last ? count(first) : `${count(first)}\u2013${count(last)}`);
  const [width, height, left, bottom, top] = [420, 190, 52, 36, 12];
  const step = (width - left - 8) / bars.length;
  const y = (number) => height - bottom - ((height - bottom - top) * number) / most;
  const every = Math.ceil(bars.length / 12);
  const text = (x, at, content, anchor) => drawing("text", { x, y: at, "text-anchor": anchor, fill: "currentColor", "font-size": 11 }, content);
  const parts = [0, most / 2, most].filter((value, place) => place !== 1 || most >= 4).flatMap((value) => [
    drawing("line", { x1: left, x2: width - 8, y1: y(value), y2: y(value), stroke: "var(--grid)" }),
    text(left - 6, y(value) + 4, count(Math.round(value)), "end"),
  ]);
  bars.forEach((bar, place) => {
    const x = left + step * place;
    if (bar[2]) parts.push(drawing("rect", { x: x + step * 0.1, y: y(bar[2]), width: step * 0.8, height: height - bottom - y(bar[2]), fill: "var(--s1)" }));
    if (place % every === 0) parts.push(text(x + step / 2, height - bottom + 14, label(bar), "middle"));
  });
  parts.push(text(left + (width - left) / 2, height - 4, "token length, symbols", "middle"));
  const total = encoding.starts.length;
  const described = `Tokens by length under ${name}: ${bars.filter((bar) => bar[2]).map((bar) => `${label(bar)}: ${count(bar[2])}`).join(", ")}`;
  const rows = bars.filter((bar) => bar[2]).map((bar) => row(number(label(bar)), number(bar[2]), number(`${((100 * bar[2]) / total).toFixed(1)} %`)));
  const head = ["length", "tokens", "share"].map((title) => element("th", { scope: "col", class: "number" }, title));
  return element("figure", {},
    element("figcaption", {}, `${key} ${name}`),
    drawing("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": described.slice(0, 1000) }, ...parts),
    element("details", {}, element("summary", {}, "As a table"),
      element("table", {}, element("thead", {}, row(...head)), element("tbody", {}, ...rows))));
}
