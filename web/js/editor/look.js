// The editor in the page's own ink: every colour is a token, so both themes come from the style sheet.
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const highlighting = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--ink-2)" },
  { tag: [tags.content, tags.string, tags.number, tags.bool, tags.null], color: "var(--ink)", fontWeight: "500" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink-3)" },
  { tag: [tags.punctuation, tags.separator, tags.meta, tags.squareBracket, tags.brace], color: "var(--ink-3)" },
  { tag: [tags.labelName, tags.typeName, tags.keyword], color: "var(--ink-2)" },
]);

export const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink-2)", backgroundColor: "var(--surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: "11.5px/17px var(--mono)", letterSpacing: "-.01em", fontFeatureSettings: '"zero", "calt" 0, "liga" 0' },
  ".cm-content": { padding: "6px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 10px 0 8px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", border: "0", color: "var(--ink-3)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "32px", padding: "0 8px 0 4px", fontSize: "11px" },
  ".cm-changes .cm-gutterElement": { width: "3px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--press)",
  },
  ".cm-selectionMatch, .cm-searchMatch": { backgroundColor: "var(--wait-tint)" },
  ".cm-searchMatch-selected": { outline: "1px solid var(--wait)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--press)", outline: "none" },
  ".cm-panels": { backgroundColor: "var(--surface)", color: "var(--ink)", borderColor: "var(--line)" },
});
