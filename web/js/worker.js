// Downloads the core, tells how far it is, starts it, and hands it what the page said meanwhile.
import init, { start } from "worker-glue";

const early = [];
let started = false;
/** Where the second file of the core is, and its module once somebody seems about to need it. */
let rest;
let restModule;

self.onmessage = async ({ data }) => {
  if (typeof data === "string") {
    early.push(data);
    return;
  }
  if (started || !data.wasm) return;
  started = true;
  rest = data.rest;
  try {
    await init({ module_or_path: await download(data.wasm, data.size) });
    start();
    for (const text of early.splice(0)) {
      self.dispatchEvent(new MessageEvent("message", { data: text }));
    }
  } catch (error) {
    self.postMessage({ fault: String(error?.message ?? error) });
  }
};

self.addEventListener("message", async ({ data }) => {
  if (data.soon) restModule ??= await WebAssembly.compileStreaming(fetch(rest)).catch(() => undefined);
});

/** The core calls into its second file: it waits until that is there. Only a worker may load like this. */
self.fetchRest = (core) => {
  new WebAssembly.Instance(restModule ?? new WebAssembly.Module(downloadAtOnce(rest)), { core });
};

function downloadAtOnce(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`the rest of the core could not be downloaded: ${request.status}`);
  return request.response;
}

/** The wasm as a response that compiles while it streams in, counted on the way. */
async function download(url, total) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the core could not be downloaded: ${response.status} ${response.statusText}`);
  let loaded = 0;
  let told = 0;
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        loaded += chunk.byteLength;
        if (loaded - told > 65536) {
          told = loaded;
          self.postMessage({ loaded, total });
        }
        controller.enqueue(chunk);
      },
      flush() {
        self.postMessage({ loaded, total: loaded });
      },
    }),
  );
  return new Response(counted, { headers: { "content-type": "application/wasm" } });
}
