// The completion list. It opens at the dock's right edge, so that it never covers the line or its output's first words.

const SHOWN_MAX = 200;

export class Popup {
  constructor(host, texts, accept) {
    this.host = host;
    this.texts = texts;
    this.acceptOne = accept;
    this.found = [];
    this.at = 0;
  }

  get open() {
    return this.found.length > 0;
  }

  get current() {
    return this.found[this.at];
  }

  show(found) {
    this.found = found.slice(0, SHOWN_MAX);
    this.at = 0;
    this.draw();
  }

  hide() {
    this.found = [];
    this.host.hidden = true;
    this.host.replaceChildren();
  }

  move(by) {
    this.at = (this.at + by + this.found.length) % this.found.length;
    this.mark();
  }

  accept() {
    const chosen = this.current;
    this.hide();
    if (chosen) this.acceptOne(chosen);
  }

  draw() {
    const list = document.createElement("div");
    list.className = "list";
    list.setAttribute("role", "listbox");
    this.found.forEach((completion, index) => {
      const row = list.appendChild(document.createElement("div"));
      row.setAttribute("role", "option");
      row.appendChild(document.createElement("span")).textContent = completion.text;
      const note = row.appendChild(document.createElement("span"));
      note.className = "lab";
      note.textContent = completion.note;
      // mousedown, so that the terminal keeps the focus.
      row.addEventListener("mousedown", (event) => {
        event.preventDefault();
        this.at = index;
        this.accept();
      });
    });
    const foot = document.createElement("div");
    foot.className = "keys";
    const { accept, choose, history } = this.texts;
    for (const [keys, text] of [[["Tab"], accept], [["↑", "↓"], choose], [["Ctrl R"], history]]) {
      for (const key of keys) foot.appendChild(document.createElement("kbd")).textContent = key;
      foot.append(text);
    }
    this.host.replaceChildren(list, foot);
    this.host.hidden = false;
    this.mark();
  }

  mark() {
    const rows = this.host.querySelectorAll("[role=option]");
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === this.at)));
    rows[this.at]?.scrollIntoView({ block: "nearest" });
  }
}
