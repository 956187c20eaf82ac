// Measures the page and prints one line: what it transfers, how soon the cluster is drawn, how evenly it draws.
import { clusterRendered, launch, visit } from "./page.mjs";

const VISITS = 5;
const ROLLING_PODS = 300;
const ROLL_MS = 15_000;

const browser = await launch();
try {
  const visits = [];
  for (let count = 0; count < VISITS; count += 1) visits.push(await firstView());
  const frames = await rollManyPods();
  const numbers = {
    transferred_kb: (median(visits.map((visit) => visit.bytes)) / 1000).toFixed(1),
    rendered_ms: median(visits.map((visit) => visit.rendered)).toFixed(0),
    visits: VISITS,
    rolling_pods: ROLLING_PODS,
    frames: frames.length,
    frame_p50_ms: quantile(frames, 0.5).toFixed(1),
    frame_p95_ms: quantile(frames, 0.95).toFixed(1),
    frame_p99_ms: quantile(frames, 0.99).toFixed(1),
    frame_max_ms: Math.max(...frames).toFixed(1),
  };
  console.log(["page target=chromium", ...Object.entries(numbers).map((pair) => pair.join("="))].join(" "));
} finally {
  await browser.close();
}

/** A visitor with an empty cache: the bodies' bytes as sent, and when the cluster was drawn. */
async function firstView() {
  const visitor = await visit(browser);
  const rendered = await clusterRendered(visitor.page);
  const lengths = await Promise.all(visitor.responses.map((response) => response.headerValue("content-length")));
  await visitor.context.close();
  return { bytes: lengths.reduce((sum, length) => sum + Number(length), 0), rendered };
}

/** The times between frames, in milliseconds, while a Deployment replaces every Pod. */
async function rollManyPods() {
  const { page } = await visit(browser);
  await clusterRendered(page);
  await send(page, { apply: { file: "many.yaml", text: deployment("1.27") } });
  await send(page, { speed: { speed: { kind: "untilSettled" } } });
  await runLine(page, "kubectl rollout status deployment/many");
  await send(page, { speed: { speed: { kind: "times", factor: 1 } } });
  await send(page, { apply: { file: "many.yaml", text: deployment("1.28") } });
  return page.evaluate(timesBetweenFrames, ROLL_MS);
}

function send(page, command) {
  return page.evaluate((text) => window.tabernetes.send(text), JSON.stringify(command));
}

/** Runs a line in the terminal until its prompt is back. */
async function runLine(page, line) {
  const before = await page.evaluate(() => window.reports.length);
  await send(page, { terminal: { line } });
  const done = (start) =>
    window.reports.slice(start).some((report) => report.type === "terminal" && report.output.done);
  await page.waitForFunction(done, before, { timeout: 300_000 });
}

function deployment(tag) {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: many}
spec:
  replicas: ${ROLLING_PODS}
  selector: {matchLabels: {app: many}}
  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 10%}}
  template:
    metadata: {labels: {app: many}}
    spec:
      containers: [{name: web, image: "nginx:${tag}"}]
`;
}

/** Runs in the page. */
function timesBetweenFrames(duration) {
  return new Promise((resolve) => {
    const times = [];
    let last;
    const frame = (now) => {
      if (last !== undefined) times.push(now - last);
      last = now;
      if (now - start < duration) requestAnimationFrame(frame);
      else resolve(times);
    };
    const start = performance.now();
    requestAnimationFrame(frame);
  });
}

function quantile(numbers, part) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function median(numbers) {
  return quantile(numbers, 0.5);
}
