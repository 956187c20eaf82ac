// xterm's colours from the page's tokens, and the states' colours in kubectl's output.

const STATUS = [
  ["36", /\b(ContainerCreating|PodInitializing|Init:\d+\/\d+)\b/g],
  ["33", /\b(Pending|SchedulingDisabled|Warning)\b/g],
  [
    "31",
    /\b(CrashLoopBackOff|ImagePullBackOff|ErrImagePull|Error|OOMKilled|Failed|Evicted|NotReady|CreateContainerConfigError|InvalidImageName|Init:CrashLoopBackOff|Init:Error)\b/g,
  ],
  ["35", /\b(Terminating)\b/g],
];

export function colourStatus(text) {
  for (const [code, words] of STATUS) text = text.replace(words, `\x1b[${code}m$&\x1b[39m`);
  // The heading of a table: the first line when it is all capitals.
  return text.replace(/^([A-Z][A-Z0-9()\- ]{3,})$/gm, "\x1b[2m$1\x1b[22m");
}

export function palette() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  return {
    background: token("--surface"),
    foreground: token("--ink-2"),
    cursor: token("--ink"),
    cursorAccent: token("--surface"),
    selectionBackground: token("--press"),
    black: token("--ink"),
    white: token("--ink"),
    brightWhite: token("--ink"),
    brightBlack: token("--ink-3"),
    red: token("--fail-ink"),
    brightRed: token("--fail-ink"),
    green: token("--ready-ink"),
    brightGreen: token("--ready-ink"),
    yellow: token("--wait-ink"),
    brightYellow: token("--wait-ink"),
    blue: token("--start-ink"),
    cyan: token("--start-ink"),
    brightBlue: token("--start-ink"),
    brightCyan: token("--start-ink"),
    magenta: token("--leave-ink"),
    brightMagenta: token("--leave-ink"),
  };
}
