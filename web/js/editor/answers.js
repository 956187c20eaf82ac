// The API server's own words under the line that they are about.
import { RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, gutterLineClass, GutterMarker, WidgetType } from "@codemirror/view";

export const setAnswers = StateEffect.define();

const SVG = "http://www.w3.org/2000/svg";

class Answer extends WidgetType {
  constructor(answer) {
    super();
    this.answer = answer;
  }
  eq(other) {
    return JSON.stringify(other.answer) === JSON.stringify(this.answer);
  }
  toDOM() {
    const { title, message, warning } = this.answer;
    // The space around is padding: CodeMirror measures a block without its margins.
    const block = document.createElement("div");
    block.className = "answer";
    const box = block.appendChild(document.createElement("div"));
    box.className = warning ? "apierr warn" : "apierr";
    box.setAttribute("role", warning ? "status" : "alert");
    const head = box.appendChild(document.createElement("div"));
    head.className = "h";
    const icon = head.appendChild(document.createElementNS(SVG, "svg"));
    icon.setAttribute("class", "i");
    icon.setAttribute("viewBox", "0 0 16 16");
    icon.setAttribute("aria-hidden", "true");
    for (const d of ["M8 2.6l6 10.8H2z", "M8 6.6v3M8 11.5v.1"]) {
      icon.appendChild(document.createElementNS(SVG, "path")).setAttribute("d", d);
    }
    head.append(title);
    box.appendChild(document.createElement("code")).textContent = message;
    return block;
  }
  ignoreEvent() {
    return false;
  }
}

const badLine = Decoration.line({ class: "cm-bad" });
const warnLine = Decoration.line({ class: "cm-warn" });
const badGutter = new (class extends GutterMarker {
  elementClass = "cm-bad";
})();

const field = StateField.define({
  create: () => ({ shown: Decoration.none, gutter: Decoration.none }),
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setAnswers)) return draw(transaction.newDoc, effect.value);
    }
    if (!transaction.docChanged) return value;
    return { shown: value.shown.map(transaction.changes), gutter: value.gutter.map(transaction.changes) };
  },
  provide: (field) => [
    EditorView.decorations.from(field, (value) => value.shown),
    gutterLineClass.from(field, (value) => value.gutter),
  ],
});

function draw(doc, answers) {
  const shown = new RangeSetBuilder();
  const gutter = new RangeSetBuilder();
  const byLine = new Map();
  for (const answer of answers) {
    const line = Math.max(1, Math.min(answer.line || 1, doc.lines));
    if (!byLine.has(line)) byLine.set(line, []);
    byLine.get(line).push(answer);
  }
  for (const line of [...byLine.keys()].sort((a, b) => a - b)) {
    const { from, to } = doc.line(line);
    const list = byLine.get(line);
    const bad = list.some((answer) => !answer.warning);
    shown.add(from, from, bad ? badLine : warnLine);
    if (bad) gutter.add(from, from, badGutter);
    for (const answer of list) {
      shown.add(to, to, Decoration.widget({ widget: new Answer(answer), block: true, side: 1 }));
    }
  }
  return { shown: shown.finish(), gutter: gutter.finish() };
}

export const answers = () => field;
