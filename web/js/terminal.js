// The terminal: xterm.js with a line editor, history, reverse search and a completion list at the right edge.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { colourStatus, palette } from "./terminal/look.js";
import { LineEditor } from "./terminal/line.js";
import { Popup } from "./terminal/popup.js";

const HISTORY_MAX = 500;

/**
 * `on`: `run(line)`, `interrupt()`, `complete(request, line, cursor)`, `isName(word)`, `select(word)`, `history(json)`.
 * `texts`: `{accept, choose, history, search, label}`.
 */
export function create(host, popupHost, on, texts, savedHistory) {
  const style = getComputedStyle(document.documentElement);
  const term = new Terminal({
    allowProposedApi: true,
    convertEol: true,
    cursorBlink: false,
    cursorInactiveStyle: "outline",
    fontFamily: style.getPropertyValue("--mono"),
    fontSize: 12,
    lineHeight: 1.2,
    scrollback: 5000,
    screenReaderMode: false,
    theme: palette(),
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(host);
  term.textarea?.setAttribute("aria-label", texts.label);

  let busy = false;
  let request = 0;
  let history = [];
  try {
    history = JSON.parse(savedHistory || "[]").filter((line) => typeof line === "string");
  } catch {
    // A history that cannot be read starts anew.
  }

  const line = new LineEditor(term, history, {
    submit(text) {
      popup.hide();
      if (text.trim()) {
        if (history.at(-1) !== text) history.push(text);
        if (history.length > HISTORY_MAX) history.splice(0, history.length - HISTORY_MAX);
        on.history(JSON.stringify(history));
        busy = true;
        on.run(text);
      } else {
        line.prompt();
      }
    },
    complete(text, cursor) {
      request += 1;
      on.complete(request, text, cursor);
    },
    changed: () => popup.hide(),
    texts,
  });
  const popup = new Popup(popupHost, texts, (completion) => line.insertCompletion(completion.text));

  term.attachCustomKeyEventHandler((event) => {
    if (event.type !== "keydown") return true;
    const control = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (control && event.key === "c" && term.hasSelection()) {
      navigator.clipboard?.writeText(term.getSelection());
      term.clearSelection();
      event.preventDefault();
      return false;
    }
    // Paste is the browser's own; its text arrives through onData.
    if (control && event.key === "v") return false;
    if (popup.open && !busy) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        popup.move(event.key === "ArrowDown" ? 1 : -1);
        line.ghost(popup.current?.text ?? "");
        event.preventDefault();
        return false;
      }
      if (event.key === "Tab" || (event.key === "ArrowRight" && line.atEnd)) {
        popup.accept();
        event.preventDefault();
        return false;
      }
      if (event.key === "Escape") {
        popup.hide();
        line.ghost("");
        event.stopPropagation();
        return false;
      }
    }
    if (event.key === "Tab" && event.shiftKey) return false;
    return true;
  });

  term.onData((data) => {
    if (!busy) {
      line.input(data);
    } else if (data === "\x03") {
      term.write("^C\r\n");
      on.interrupt();
    } else if (data === "\x0c") {
      term.clear();
    }
  });

  term.registerLinkProvider({
    provideLinks(row, answer) {
      const text = term.buffer.active.getLine(row - 1)?.translateToString(true) ?? "";
      const links = [];
      for (const match of text.matchAll(/[a-z0-9][a-z0-9./-]*[a-z0-9]/g)) {
        const word = match[0];
        if (!on.isName(word)) continue;
        links.push({
          text: word,
          range: { start: { x: match.index + 1, y: row }, end: { x: match.index + word.length, y: row } },
          decorations: { pointerCursor: true, underline: true },
          activate: () => on.select(word),
        });
      }
      answer(links.length ? links : undefined);
    },
  });

  const resize = new ResizeObserver(() => {
    if (host.clientWidth > 40 && host.clientHeight > 20) {
      fit.fit();
      line.redraw();
    }
  });
  resize.observe(host);
  fit.fit();
  line.prompt();

  return {
    /** One `TerminalOutput`. Output that nobody asked for here (a button ran the line) is put above the prompt. */
    output(text, error, done, prompt, clear) {
      const typing = !busy;
      if (typing) line.leave();
      if (clear) term.clear();
      if (text) term.write(error ? `\x1b[31m${text}\x1b[39m` : colourStatus(text));
      if (prompt != null) line.setPrompt(prompt);
      if (done && text && !text.endsWith("\n")) term.write("\r\n");
      if (typing) line.enter();
      else if (done) {
        busy = false;
        line.prompt();
      }
    },
    /** Shows a line as if it had been typed; the page has sent it. */
    echo(text) {
      line.leave();
      line.print(text);
      busy = true;
      if (history.at(-1) !== text) history.push(text);
      on.history(JSON.stringify(history));
      popup.hide();
    },
    /** Puts a line behind the prompt without running it. */
    type(text) {
      if (!busy) line.replace(text);
      term.focus();
    },
    completions(answered, list) {
      if (answered !== request || busy) return;
      const found = JSON.parse(list);
      if (found.length === 1) {
        line.insertCompletion(found[0].text);
      } else if (found.length) {
        line.insertCommonPrefix(found.map((completion) => completion.text));
        popup.show(found);
        line.ghost(popup.current.text);
      }
    },
    reset() {
      busy = false;
      term.reset();
      line.prompt();
    },
    retheme: () => (term.options.theme = palette()),
    focus: () => term.focus(),
    destroy() {
      resize.disconnect();
      popup.hide();
      term.dispose();
    },
  };
}
