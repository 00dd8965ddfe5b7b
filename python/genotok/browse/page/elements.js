// Elements of the page, made without any markup from strings.

const find = (id) => document.getElementById(id);

// An element with attributes and children; strings become text.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== false) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawing(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const count = (number) => number.toLocaleString("en-US");
const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

// One character in one column: what has no shape of its own gets a sign that has.
function visible(character) {
  const code = character.codePointAt(0);
  if (code <= 32) return String.fromCharCode(0x2400 + code);
  if (code === 127) return "\u2421";
  return /[\p{C}\p{Z}\p{M}\ufeff]/u.test(character) ? "\ufffd" : character;
}

// A string for a table: its control characters shown, its middle left out if it is very long.
function token(string) {
  const text = shown(string);
  return text.length <= 80 ? text : `${text.slice(0, 40)}\u2026${text.slice(-20)} (${count(string.length)} symbols)`;
}

const row = (...cells) => element("tr", {}, ...cells);
const cell = (text, className = null) => element("td", { class: className }, text);
const number = (value) => cell(value === null || value === undefined ? "" : typeof value === "number" ? count(value) : value, "number");

const pause = () => new Promise((done) => setTimeout(done));

// A function that calls `work` once, when it has not been called for some milliseconds.
function later(work, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}

const PAIRS = { A: "T", C: "G", G: "C", T: "A", U: "A", R: "Y", Y: "R", K: "M", M: "K", B: "V", V: "B", D: "H", H: "D" };
const CODES = {
  R: "AGR", Y: "CTY", S: "CGS", W: "ATW", K: "GTK", M: "ACM", B: "CGTB", D: "AGTD", H: "ACTH", V: "ACGV", N: "ACGTN",
};

// The other strand; what pairs with nothing stays.
function reverseComplement(sequence) {
  let other = "";
  for (let at = sequence.length - 1; at >= 0; at--) {
    const symbol = sequence[at];
    const pair = PAIRS[symbol.toUpperCase()];
    other += !pair ? symbol : symbol === symbol.toUpperCase() ? pair : pair.toLowerCase();
  }
  return other;
}
