// A tokenizer of the page: its vocabulary, and its encoding of a text.

class PageTokenizer {
  constructor(data) {
    this.data = data;
    this.name = data.name;
    this.size = data.size;
    this.table = new CharacterTable(data);
    this.names = data.kmers ? new KmerNames(data.kmers) : null;
    this.strings = new Array(this.names ? 0 : data.size);
    this.others = new Map(data.tokens.map(([string, id]) => [id, string])); // tokens that neither merges nor k-mers make
    this.made = new Map(); // the first merge that makes a token
    this.merges = data.merges;
    this.pairs = new Map();
    for (const [id, string] of this.others) if (!this.names) this.strings[id] = string;
    for (let rank = 0; 2 * rank < this.merges.length; rank++) {
      const [left, right] = this.parts(rank);
      const product = this.product(rank);
      this.pairs.set(left * this.size + right, rank);
      if (!this.made.has(product)) this.made.set(product, rank);
      this.strings[product] ??= this.strings[left] + this.strings[right];
    }
  }

  // The ids that a merge joins, and the id of its product.
  parts(rank) {
    return [this.merges[2 * rank], this.merges[2 * rank + 1]];
  }

  product(rank) {
    const { products } = this.data;
    return typeof products === "number" ? products + rank : products[rank];
  }

  rankOfPair(left, right) {
    return this.pairs.get(left * this.size + right);
  }

  string(id) {
    if (!this.names) return this.strings[id];
    return this.others.get(id) ?? this.names.spell(id - this.names.first);
  }

  idOf(string) {
    this.ids ??= new Map(Array.from({ length: this.size }, (_, id) => [this.string(id), id]));
    return this.ids.get(string);
  }

  // A text as tokens, not yet computed: see `advance` of the result. Throws a ReadingError.
  start(text, records, isUpper) {
    return new (this.names ? KmerEncoding : MergeEncoding)(this, text, records, isUpper);
  }

  // The ids of a text, as `Tokenizer.encode` gives them.
  encode(text, isUpper = false) {
    const encoding = this.start(text, [{ start: 0, end: text.length }], isUpper);
    while (!encoding.advance(1e6));
    return [...encoding.ids];
  }
}
