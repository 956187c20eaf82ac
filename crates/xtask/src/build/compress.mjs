// Compresses every file of a folder at the highest level and prints the sizes: node compress.mjs FOLDER
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/** What the page loads only when the user opens what it draws, or touches anything at all. */
const loadedLater = ["editor.", "terminal.", "worker_rest.", "scenario.v1.schema."];

const folder = process.argv[2];
const isCopy = (name) => name.endsWith(".br") || name.endsWith(".gz");
const names = (await readdir(folder)).filter((name) => !name.startsWith(".") && !isCopy(name)).sort();

/** The compressed file's size; a copy that is there already is right, because a name stands for its content. */
async function copy(path, compress) {
  if (!existsSync(path)) await writeFile(path, await compress());
  return (await stat(path)).size;
}

const rows = await Promise.all(
  names.map(async (name) => {
    const path = join(folder, name);
    const bytes = await readFile(path);
    const params = {
      [zlib.constants.BROTLI_PARAM_QUALITY]: zlib.constants.BROTLI_MAX_QUALITY,
      [zlib.constants.BROTLI_PARAM_LGWIN]: zlib.constants.BROTLI_MAX_WINDOW_BITS,
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    const br = await copy(`${path}.br`, () => brotli(bytes, { params }));
    const gz = await copy(`${path}.gz`, () => gzip(bytes, { level: 9 }));
    return { name, sizes: [bytes.length, gz, br], later: loadedLater.some((start) => name.startsWith(start)) };
  }),
);

const line = (name, sizes) => console.log(name.padEnd(36) + sizes.map((size) => kilobytes(size).padStart(12)).join(""));
const kilobytes = (size) => (typeof size === "string" ? size : `${(size / 1000).toFixed(1)} kB`);
const sum = (rows) => [0, 1, 2].map((column) => rows.reduce((total, row) => total + row.sizes[column], 0));

line("file", ["raw", "gzip", "brotli"]);
for (const row of rows) line(row.name + (row.later ? " (later)" : ""), row.sizes);
line("first view", sum(rows.filter((row) => !row.later)));
line("all", sum(rows));
