// Plays the opening of the page to the core: node trial.mjs GLUE WASM. Prints a 1 for every function that ran, a 0 for
// every other one.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [glue, wasm] = process.argv.slice(2);

/** What the page opens with, and how long a visitor looks on before doing anything. */
const OPENING = { open: { source: { from: "example", id: "guestbook" } } };
const LOOKS_ON_MS = 180_000;
const FRAME_MS = 16;

// A worker's surroundings with a clock of our own.
let now = 0;
let tick;
const reports = [];
globalThis.self = globalThis;
Object.defineProperty(globalThis, "performance", { value: { now: () => now } });
globalThis.setInterval = (callback) => ((tick = callback), 1);
globalThis.postMessage = (text) => reports.push(JSON.parse(text));

const { default: init, start } = await import(pathToFileURL(glue));
const core = await init({ module_or_path: await readFile(wasm) });
const send = (command) => globalThis.onmessage({ data: JSON.stringify(command) });
start();
send(OPENING);
tick();
const opened = reports.find((report) => report.opened).opened;
send({ select: { object: opened.view.selected } });
for (; now < LOOKS_ON_MS; now += FRAME_MS) tick();

const problem = reports.find((report) => report.problem);
if (problem) throw new Error(JSON.stringify(problem));
const marks = [];
for (let number = 0; core[`ran${number}`]; number += 1) marks.push(core[`ran${number}`].value);
process.stdout.write(marks.join(""));
