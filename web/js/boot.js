// Starts the core's worker and the page's wasm side by side, and keeps the page from ever going blank.
const assets = document.body.dataset;
const at = (name) => new URL(name, document.baseURI).href;

/** Bytes as the loading bar says them: "1.4". */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

const worker = new Worker(at(assets.worker), { type: "module", name: "core" });
worker.postMessage({
  wasm: at(assets.workerWasm),
  size: Number(assets.workerSize) || 0,
  rest: at(assets.workerRest),
});

// To look on takes half of the core. Whoever touches the page may soon do what takes the other half; and whoever stays
// shall be able to do without the network.
const signs = ["pointermove", "pointerdown", "keydown"];
for (const sign of signs) addEventListener(sign, prepare, { capture: true, passive: true });
setTimeout(prepare, 20_000);
function prepare() {
  for (const sign of signs) removeEventListener(sign, prepare, { capture: true });
  worker.postMessage({ soon: true });
}

/** Reports that came before the page was there to hear them. */
let early = [];
let hear;
const fault = { text: "" };

function failed(text) {
  if (fault.text) return;
  fault.text = text;
  if (hear?.fault) hear.fault(text);
  else showFault(text);
}

worker.onmessage = ({ data }) => {
  if (typeof data === "string") {
    if (hear) hear.report(data);
    else early.push(data);
  } else if (data.fault) {
    failed(data.fault);
  } else {
    progress(data);
  }
};
worker.onerror = (event) => {
  event.preventDefault();
  failed(event.message || "the core could not be started");
};

function progress({ loaded, total }) {
  const bar = document.querySelector("[data-loading-bar]");
  const label = document.querySelector("[data-loading-label]");
  if (!bar || !label) return;
  bar.style.width = `${total ? Math.min(100, (loaded / total) * 100) : 0}%`;
  label.textContent = label.dataset.loadingLabel
    .replace("{loaded}", megabytes(loaded))
    .replace("{total}", megabytes(Math.max(total, loaded)));
}

/** The fault page in plain HTML: the last resort when the page's own wasm is what failed. */
function showFault(text) {
  const page = document.getElementById("fault");
  if (!page) return;
  page.querySelector("[data-fault-text]").textContent = text;
  page.hidden = false;
  document.getElementById("app")?.setAttribute("inert", "");
  page.querySelector("button")?.focus();
}
document.querySelector("#fault button")?.addEventListener("click", () => location.reload());

const modules = {};
const load = (name) => (modules[name] ??= import(at(assets[name])));

window.tabernetes = {
  /** The page takes over: `report(text)` for each report, `fault(text)` once if the core stops. */
  listen(report, onFault) {
    hear = { report, fault: onFault };
    const waiting = early;
    early = [];
    waiting.forEach(report);
    if (fault.text) onFault(fault.text);
  },
  send: (command) => worker.postMessage(command),
  stop: () => worker.terminate(),
  loadEditor: () => load("editor"),
  loadTerminal: () => load("terminal"),
  /** Called by the page's panic hook. */
  pageFault: showFault,
};

if (document.documentElement.lang !== "en") {
  const texts = JSON.parse(document.getElementById("boot-zh").textContent);
  for (const element of document.querySelectorAll("[data-boot-text]")) {
    element.textContent = texts[element.dataset.bootText];
  }
  const label = document.querySelector("[data-loading-label]");
  if (label) label.dataset.loadingLabel = texts.core;
}

try {
  const page = await import(at(assets.web));
  await page.default({ module_or_path: at(assets.webWasm) });
} catch (error) {
  showFault(String(error?.message ?? error));
}
