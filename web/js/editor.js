// The manifest editor: CodeMirror with YAML, the API server's answers under their lines, and what differs from the
// cluster in the gutter.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { changedLines, changes, setBaseline } from "./editor/changes.js";
import { answers, setAnswers } from "./editor/answers.js";
import { highlighting, look } from "./editor/look.js";

/** Above this many characters the text is shown plain: highlighting and comparing would make typing slow. */
const RICH_MAX = 400_000;

/**
 * `host`: element to fill. `on`: `change(text, changedLines)`, `apply()`, `leave()`.
 * Each file keeps its own undo history, selection and scroll position.
 */
export function create(host, on, label) {
  const files = new Map();
  let current = "";
  let quiet = false;

  const extensions = (rich) => [
    lineNumbers(),
    changes(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    indentOnInput(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    bracketMatching(),
    rich ? [yaml(), syntaxHighlighting(highlighting), highlightSelectionMatches()] : [],
    search({ top: true }),
    answers(),
    look,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
    Prec.highest(
      keymap.of([
        { key: "Mod-Enter", run: () => (on.apply(), true) },
        // Escape hands Tab back to the page, so that the editor is no keyboard trap.
        { key: "Escape", run: (view) => (view.state.selection.main.empty ? (on.leave(), true) : false) },
      ]),
    ),
    keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged || quiet) return;
      on.change(update.state.doc.toString(), changedLines(update.state));
    }),
  ];

  const stateOf = (text) => EditorState.create({ doc: text, extensions: extensions(text.length <= RICH_MAX) });
  const view = new EditorView({ parent: host, state: stateOf("") });

  const silently = (act) => {
    quiet = true;
    try {
      act();
    } finally {
      quiet = false;
    }
  };

  return {
    /** Shows a file; `text` counts where the file is new or changed elsewhere. `baseline`: as the cluster has it. */
    open(name, text, baseline) {
      silently(() => {
        if (current && files.has(current)) files.set(current, { state: view.state, top: view.scrollDOM.scrollTop });
        const kept = files.get(name);
        const same = kept && kept.state.doc.toString() === text;
        current = name;
        view.setState(same ? kept.state : stateOf(text));
        files.set(name, { state: view.state, top: 0 });
        view.dispatch({ effects: [setBaseline.of(baseline ?? null), setAnswers.of([])] });
        view.scrollDOM.scrollTop = same ? kept.top : 0;
      });
      return changedLines(view.state);
    },
    forget() {
      files.clear();
      current = "";
    },
    baseline(text) {
      view.dispatch({ effects: setBaseline.of(text ?? null) });
      return changedLines(view.state);
    },
    /** `[{line, title, message, warning}]`, lines from 1. */
    answers(list) {
      view.dispatch({ effects: setAnswers.of(JSON.parse(list)) });
    },
    focus: () => view.focus(),
    find: () => openSearchPanel(view),
    goTo(line) {
      const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      view.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
