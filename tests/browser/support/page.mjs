// Opens the page in a headless Chromium and keeps an eye on what no page of ours may do.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** Where `cargo xtask test` serves the page; by hand, where `cargo xtask serve` does. */
export const url = process.env.TABERNETES_URL ?? "http://localhost:8080/";
export const subpathUrl = process.env.TABERNETES_SUBPATH_URL;

/** How long the slowest step may take on a busy machine. */
export const patience = 60_000;

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });

/**
 * A fresh visitor: an empty profile that reads English. `mistakes` collects what went wrong meanwhile, `requests`
 * and `responses` what was asked for and answered.
 */
export async function visit(browser, address = url, options = {}) {
  const context = await browser.newContext({
    locale: "en-US",
    viewport: { width: 1440, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const mistakes = [];
  const requests = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) mistakes.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => mistakes.push(`uncaught: ${error.message}`));
  context.on("request", (request) => requests.push(request.url()));
  context.on("requestfailed", (request) => mistakes.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  const responses = [];
  context.on("response", (response) => {
    responses.push(response);
    if (response.status() >= 400) mistakes.push(`status ${response.status()}: ${response.url()}`);
  });
  await page.addInitScript(recordReports);
  await page.goto(address);
  return { page, context, mistakes, requests, responses };
}

/** Keeps what the core's worker tells the page, as `window.reports`, so that a test can wait for it: `{type, …}`. */
function recordReports() {
  window.reports = [];
  const record = (text) => {
    const [[type, body]] = Object.entries(JSON.parse(text));
    window.reports.push({ type, ...body });
  };
  const Original = window.Worker;
  window.Worker = class extends Original {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (typeof data === "string") record(data);
      });
    }
  };
}

/** Waits for the first picture of a cluster; returns its time after the navigation, in milliseconds. */
export async function clusterRendered(page) {
  const mark = "tabernetes:cluster-rendered";
  const fault = page.locator("#fault");
  const marked = page.waitForFunction((name) => performance.getEntriesByName(name)[0]?.startTime, mark);
  const failed = fault.waitFor({ state: "visible" }).then(
    async () => assert.fail(`the page shows its fault screen: ${await fault.innerText()}`),
    () => new Promise(() => {}),
  );
  return (await Promise.race([marked, failed])).jsonValue();
}

/** Nothing was reported to the console, and nothing but the page's own host was asked. */
export function assertClean({ mistakes, requests }, origin = new URL(url).origin) {
  assert.deepEqual(mistakes, []);
  const elsewhere = requests.filter((request) => /^(https?|wss?):/.test(request) && new URL(request).origin !== origin);
  assert.deepEqual(elsewhere, []);
}
