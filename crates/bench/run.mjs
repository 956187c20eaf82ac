// One run as WebAssembly in this Node process, and its line: node run.mjs GLUE NAME [KEY=VALUE…]
import { createRequire } from "node:module";

const [glue, name = "", ...parameters] = process.argv.slice(2);
const bench = createRequire(import.meta.url)(glue);

try {
  const prepared = bench.prepare(name, parameters.join(" "));
  const description = prepared.description;
  const start = performance.now();
  const found = prepared.start();
  const seconds = (performance.now() - start) / 1000;
  // WebAssembly's memory only ever grows, so its size now is its peak.
  const peak = bench.own_memory().buffer.byteLength / 1e6;
  console.log(`${name} target=wasm${description}${found} wall_s=${seconds.toFixed(3)} peak_mb=${peak.toFixed(1)}`);
} catch (error) {
  console.error(`bench: ${error}`);
  process.exitCode = 1;
}
