// A line editor over xterm: what readline does for a shell.

/** Columns that a character takes: CJK and the like take two. */
function width(character) {
  const code = character.codePointAt(0);
  if (code < 0x1100) return 1;
  const wide =
    code <= 0x115f ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}
const columns = (characters) => characters.reduce((sum, character) => sum + width(character), 0);

export class LineEditor {
  #term;
  #history;
  #on;
  #prompt = "$ ";
  /** Characters, not UTF-16 units, so that the cursor never stands inside one. */
  #text = [];
  #cursor = 0;
  #ghost = "";
  /** Row of the cursor below the prompt's row, as drawn last. */
  #row = 0;
  #recall = -1;
  #draft = [];
  #search = null;
  #cut = [];

  constructor(term, history, on) {
    this.#term = term;
    this.#history = history;
    this.#on = on;
  }

  get text() {
    return this.#text.join("");
  }

  get atEnd() {
    return this.#cursor === this.#text.length;
  }

  /** A new, empty line. */
  prompt() {
    this.#text = [];
    this.#cursor = 0;
    this.#ghost = "";
    this.#row = 0;
    this.#recall = -1;
    this.#search = null;
    this.redraw();
  }

  setPrompt(prompt) {
    this.#prompt = prompt;
  }

  /** Takes the line off the screen, so that output can go where it was. */
  leave() {
    this.#term.write(this.#home() + "\x1b[J");
    this.#row = 0;
  }

  enter() {
    this.#row = 0;
    this.redraw();
  }

  /** Writes a line as history: what ran, not what is being typed. */
  print(text) {
    this.#term.write(`${this.#styledPrompt()}\x1b[1m\x1b[37m${text}\x1b[0m\r\n`);
    this.#text = [];
    this.#cursor = 0;
    this.#row = 0;
    this.#ghost = "";
  }

  replace(text) {
    this.#text = [...text];
    this.#cursor = this.#text.length;
    this.#ghost = "";
    this.redraw();
  }

  /** `word`: what the word under the cursor would become. */
  ghost(word) {
    const typed = this.#word();
    this.#ghost = this.atEnd && word.startsWith(typed) ? word.slice(typed.length) : "";
    this.redraw();
  }

  insertCompletion(word) {
    const typed = [...this.#word()].length;
    const open = /[=/:]$/.test(word);
    this.#splice(this.#cursor - typed, typed, [...word, ...(open || this.#text[this.#cursor] === " " ? [] : [" "])]);
  }

  insertCommonPrefix(words) {
    let prefix = words[0];
    for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
    const typed = this.#word();
    if (prefix.length > typed.length && prefix.startsWith(typed)) {
      this.#splice(this.#cursor - [...typed].length, [...typed].length, [...prefix]);
    }
  }

  input(data) {
    if (this.#search !== null && this.#searchInput(data)) return;
    const act = KEYS[data];
    if (act) {
      act(this);
      return;
    }
    if (data.startsWith("\x1b")) {
      // A bracketed paste comes wrapped; every other sequence that is not in the table does nothing.
      const paste = /^\x1b\[200~([\s\S]*)\x1b\[201~$/.exec(data);
      if (paste) this.#paste(paste[1]);
      return;
    }
    if (data.length > 1) this.#paste(data);
    else if (data >= " ") this.#insert(data);
  }

  redraw() {
    const { cols } = this.#term;
    const found = this.#search;
    const prompt = found ? `(${this.#on.texts.search}) '${found.query}': ` : this.#prompt;
    const before = columns([...prompt]) + columns(this.#text.slice(0, this.#cursor));
    const all = columns([...prompt]) + columns(this.#text);
    const ghost = all + this.#ghost.length < cols ? this.#ghost : "";
    let out = `${this.#home()}\x1b[J`;
    out += found ? `\x1b[90m${prompt}\x1b[39m` : this.#styledPrompt();
    out += `\x1b[1m\x1b[37m${this.text}\x1b[0m\x1b[90m${ghost}\x1b[39m`;
    // A line that fills its row to the end leaves xterm's cursor in the margin: step into the next row.
    const drawn = all + ghost.length;
    if (drawn > 0 && drawn % cols === 0) out += "\r\n";
    const endRow = Math.floor(drawn / cols);
    const row = Math.floor(before / cols);
    if (endRow > row) out += `\x1b[${endRow - row}A`;
    out += `\r${before % cols ? `\x1b[${before % cols}C` : ""}`;
    this.#term.write(out);
    this.#row = row;
  }

  #styledPrompt() {
    return `\x1b[90m${this.#prompt}\x1b[39m`;
  }

  #home() {
    return `\r${this.#row > 0 ? `\x1b[${this.#row}A` : ""}`;
  }

  #word() {
    let from = this.#cursor;
    while (from > 0 && this.#text[from - 1] !== " ") from -= 1;
    return this.#text.slice(from, this.#cursor).join("");
  }

  #splice(at, remove, insert) {
    this.#text.splice(at, remove, ...insert);
    this.#cursor = at + insert.length;
    this.#changed();
  }

  #insert(text) {
    this.#splice(this.#cursor, 0, [...text]);
  }

  #changed() {
    this.#ghost = "";
    this.#on.changed();
    this.redraw();
  }

  /** Several pasted lines become one: heredocs are for the editor, and a stray newline must not run half a line. */
  #paste(text) {
    const clean = text.replace(/\\\r?\n\s*/g, "").replace(/[\r\n]+$/, "").replace(/[\r\n]+/g, " && ").replace(/\t/g, " ");
    this.#insert([...clean].filter((character) => character >= " ").join(""));
  }

  submit() {
    this.#search = null;
    this.#ghost = "";
    this.#cursor = this.#text.length;
    this.redraw();
    this.#term.write("\r\n");
    const text = this.text;
    this.#text = [];
    this.#cursor = 0;
    this.#row = 0;
    this.#recall = -1;
    this.#on.submit(text);
  }

  abandon() {
    this.#ghost = "";
    this.redraw();
    this.#term.write("^C\r\n");
    this.#on.changed();
    this.prompt();
  }

  complete() {
    const text = this.text;
    this.#on.complete(text, this.#text.slice(0, this.#cursor).join("").length);
  }

  move(by) {
    this.#cursor = Math.max(0, Math.min(this.#text.length, this.#cursor + by));
    this.redraw();
  }

  moveWord(by) {
    const step = by < 0 ? -1 : 0;
    do {
      this.#cursor += by;
    } while (this.#cursor > 0 && this.#cursor < this.#text.length && !(this.#text[this.#cursor + step] === " "));
    this.move(0);
  }

  erase(from, to) {
    const start = Math.max(0, from);
    const gone = this.#text.slice(start, to);
    if (!gone.length) return;
    if (gone.length > 1) this.#cut = gone;
    this.#splice(start, gone.length, []);
  }

  eraseBack = () => this.erase(this.#cursor - 1, this.#cursor);
  eraseForward = () => {
    const at = this.#cursor;
    this.erase(at, at + 1);
  };
  eraseToStart = () => this.erase(0, this.#cursor);
  eraseToEnd = () => this.erase(this.#cursor, this.#text.length);
  eraseWord() {
    let from = this.#cursor;
    while (from > 0 && this.#text[from - 1] === " ") from -= 1;
    while (from > 0 && this.#text[from - 1] !== " ") from -= 1;
    this.erase(from, this.#cursor);
  }
  yank = () => this.#insert(this.#cut.join(""));
  end = () => this.move(this.#text.length);
  start = () => this.move(-this.#text.length);
  clear() {
    this.#term.clear();
    this.redraw();
  }

  recall(by) {
    if (this.#recall < 0) {
      this.#draft = this.#text;
      this.#recall = this.#history.length;
    }
    const next = this.#recall + by;
    if (next < 0 || next > this.#history.length) return;
    this.#recall = next;
    this.#text = next === this.#history.length ? this.#draft : [...this.#history[next]];
    this.#cursor = this.#text.length;
    this.#changed();
  }

  startSearch() {
    this.#search = { query: "", at: this.#history.length, kept: this.#text };
    this.#changed();
  }

  /** True where the key belonged to the search. */
  #searchInput(data) {
    const search = this.#search;
    if (data === "\x12") {
      this.#find(search.at - 1);
    } else if (data === "\x7f") {
      search.query = search.query.slice(0, -1);
      this.#find(this.#history.length - 1);
    } else if (data === "\x03" || data === "\x07" || data === "\x1b") {
      this.#text = search.kept;
      this.#cursor = this.#text.length;
      this.#search = null;
      this.#changed();
    } else if (data.length === 1 && data >= " ") {
      search.query += data;
      this.#find(this.#history.length - 1);
    } else {
      this.#search = null;
      this.#changed();
      return false;
    }
    return true;
  }

  #find(from) {
    const search = this.#search;
    for (let at = from; at >= 0; at -= 1) {
      if (!this.#history[at].includes(search.query)) continue;
      search.at = at;
      this.#text = [...this.#history[at]];
      this.#cursor = this.#text.length;
      break;
    }
    this.#changed();
  }
}

/** What the keys send, and what they do. */
const KEYS = {
  "\r": (line) => line.submit(),
  "\n": (line) => line.submit(),
  "\t": (line) => line.complete(),
  "\x7f": (line) => line.eraseBack(),
  "\b": (line) => line.eraseBack(),
  "\x1b[3~": (line) => line.eraseForward(),
  "\x04": (line) => line.eraseForward(),
  "\x1b[D": (line) => line.move(-1),
  "\x02": (line) => line.move(-1),
  "\x1b[C": (line) => line.move(1),
  "\x06": (line) => line.move(1),
  "\x1b[1;5D": (line) => line.moveWord(-1),
  "\x1b[1;3D": (line) => line.moveWord(-1),
  "\x1bb": (line) => line.moveWord(-1),
  "\x1b[1;5C": (line) => line.moveWord(1),
  "\x1b[1;3C": (line) => line.moveWord(1),
  "\x1bf": (line) => line.moveWord(1),
  "\x1b[H": (line) => line.start(),
  "\x01": (line) => line.start(),
  "\x1b[F": (line) => line.end(),
  "\x05": (line) => line.end(),
  "\x1b[A": (line) => line.recall(-1),
  "\x10": (line) => line.recall(-1),
  "\x1b[B": (line) => line.recall(1),
  "\x0e": (line) => line.recall(1),
  "\x15": (line) => line.eraseToStart(),
  "\x0b": (line) => line.eraseToEnd(),
  "\x17": (line) => line.eraseWord(),
  "\x19": (line) => line.yank(),
  "\x0c": (line) => line.clear(),
  "\x03": (line) => line.abandon(),
  "\x12": (line) => line.startSearch(),
};
