// Lines that differ from what the cluster has: a blue bar for changed, green for added, a vermilion notch for removed.
import { Chunk } from "@codemirror/merge";
import { RangeSet, StateEffect, StateField, Text } from "@codemirror/state";
import { gutter, GutterMarker } from "@codemirror/view";

export const setBaseline = StateEffect.define();

class Change extends GutterMarker {
  constructor(kind) {
    super();
    this.elementClass = `chg-${kind}`;
  }
  eq(other) {
    return other.elementClass === this.elementClass;
  }
}
const KINDS = { mod: new Change("mod"), add: new Change("add"), del: new Change("del") };

/** Comparing is linear in the text, but not free: above this size the gutter stays empty. */
const COMPARE_MAX = 200_000;

const field = StateField.define({
  create: () => ({ baseline: null, chunks: [], marks: RangeSet.empty, count: 0 }),
  update(value, transaction) {
    let { baseline, chunks } = value;
    let fresh = false;
    for (const effect of transaction.effects) {
      if (!effect.is(setBaseline)) continue;
      baseline = effect.value === null ? null : Text.of(effect.value.split("\n"));
      fresh = true;
    }
    if (!fresh && !transaction.docChanged) return value;
    const doc = transaction.newDoc;
    if (!baseline || doc.length + baseline.length > COMPARE_MAX) {
      return { baseline, chunks: [], marks: RangeSet.empty, count: 0 };
    }
    chunks =
      fresh || !value.chunks.length
        ? Chunk.build(baseline, doc, { scanLimit: 500, timeout: 20 })
        : Chunk.updateB(value.chunks, baseline, doc, transaction.changes, { scanLimit: 500, timeout: 20 });
    return { baseline, chunks, ...draw(doc, chunks) };
  },
});

function draw(doc, chunks) {
  const marks = [];
  let count = 0;
  for (const chunk of chunks) {
    if (chunk.fromB >= chunk.toB) {
      count += 1;
      marks.push(KINDS.del.range(doc.lineAt(Math.min(chunk.fromB, doc.length)).from));
      continue;
    }
    const kind = chunk.fromA >= chunk.toA ? KINDS.add : KINDS.mod;
    for (let at = chunk.fromB; at < chunk.toB && at <= doc.length; ) {
      const line = doc.lineAt(at);
      marks.push(kind.range(line.from));
      count += 1;
      at = line.to + 1;
    }
  }
  return { marks: RangeSet.of(marks, true), count };
}

export const changedLines = (state) => state.field(field, false)?.count ?? 0;

export const changes = () => [
  field,
  gutter({ class: "cm-changes", markers: (view) => view.state.field(field).marks, initialSpacer: () => KINDS.mod }),
];
