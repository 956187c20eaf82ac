// The page opens anywhere, at once, and keeps to itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertClean, clusterRendered, launch, subpathUrl, url, visit } from "./support/page.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test("a cluster is drawn without an error and without a request to another host", async () => {
  const visitor = await visit(browser);
  await clusterRendered(visitor.page);
  assert.match(await visitor.page.title(), /Tabernetes/);
  assertClean(visitor);
  await visitor.context.close();
});

test("the page works below any path", { skip: !subpathUrl && "no such address was given" }, async () => {
  const visitor = await visit(browser, subpathUrl);
  await clusterRendered(visitor.page);
  assertClean(visitor, new URL(subpathUrl).origin);
  const outside = visitor.requests.filter((request) => request.startsWith("http") && !request.startsWith(subpathUrl));
  assert.deepEqual(outside, []);
  await visitor.context.close();
});

const isRest = (request) => request.includes("worker_rest.");

test("to look on takes no more than the first half of the core", async () => {
  const visitor = await visit(browser);
  await clusterRendered(visitor.page);
  await visitor.page.waitForTimeout(8_000);
  assert.deepEqual(visitor.requests.filter(isRest), []);
  assertClean(visitor);
  await visitor.context.close();
});

test("once touched, the page needs no network", async () => {
  const visitor = await visit(browser);
  await clusterRendered(visitor.page);
  const rest = visitor.page.waitForResponse((response) => isRest(response.url()));
  await visitor.page.mouse.move(200, 200);
  await (await rest).finished();
  await visitor.page.waitForLoadState("networkidle");
  await visitor.context.setOffline(true);
  const line = JSON.stringify({ terminal: { line: "kubectl explain crd.spec" } });
  await visitor.page.evaluate((line) => window.tabernetes.send(line), line);
  await visitor.page.waitForFunction(() => window.reports.some((report) => report.output?.done));
  assertClean(visitor);
  await visitor.context.close();
});

test("a page in Chinese says so to the browser", async () => {
  const visitor = await visit(browser, url, { locale: "zh-CN" });
  await clusterRendered(visitor.page);
  assert.match(await visitor.page.locator("html").getAttribute("lang"), /^zh/);
  assertClean(visitor);
  await visitor.context.close();
});
