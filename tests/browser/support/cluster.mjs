// What a person does on the page, and what they can see of it.
import assert from "node:assert/strict";
import { patience } from "./page.mjs";

/** Types a line into the terminal and returns what it printed, once its prompt is back. */
export async function type(page, line) {
  const start = await page.evaluate(() => window.reports.length);
  await page.getByRole("region", { name: "Terminal", exact: true }).locator("textarea").focus();
  await page.keyboard.insertText(line);
  await page.keyboard.press("Enter");
  const done = (start) =>
    window.reports.slice(start).some((report) => report.type === "terminal" && report.output.done);
  await page.waitForFunction(done, start);
  return page.evaluate((start) => {
    const outputs = window.reports.slice(start).filter((report) => report.type === "terminal");
    return outputs.map((report) => report.output.text).join("");
  }, start);
}

/** Repeats a line until what it prints matches. */
export async function typeUntil(page, line, expected) {
  const end = Date.now() + patience;
  for (;;) {
    const printed = await type(page, line);
    if (expected.test(printed)) return printed;
    assert.ok(Date.now() < end, `${line} never printed ${expected}, at last:\n${printed}`);
    await page.waitForTimeout(250);
  }
}

export const editor = (page) => page.getByRole("region", { name: "Manifests", exact: true });

/** What the bar below the editor says. */
export const said = (page) => editor(page).getByRole("status");

/** Opens a text in the editor, as a file from the visitor's disk. */
export async function openFile(page, name, text) {
  const chooser = page.waitForEvent("filechooser");
  await editor(page).getByRole("button", { name: "Open a file" }).click();
  await (await chooser).setFiles({ name, mimeType: "application/yaml", buffer: Buffer.from(text) });
  await editor(page).getByRole("tab", { name, selected: true }).waitFor();
}

/** Applies what the editor shows; returns what the bar says of it and what the API server refused. */
export async function apply(page) {
  const start = await page.evaluate(() => window.reports.length);
  await editor(page).getByRole("button", { name: /^Apply/ }).click();
  const applied = (start) => window.reports.slice(start).find((report) => report.type === "applied")?.applied;
  const answer = await (await page.waitForFunction(applied, start)).jsonValue();
  const refused = answer.objects.map((object) => object.outcome.refused).filter(Boolean);
  return { said: await said(page).innerText(), refused };
}

/** Every object of the cluster by name: what must not change when something is refused. */
export const objects = (page) =>
  type(page, "kubectl get all,configmaps,secrets,ingresses,persistentvolumeclaims,namespaces -A -o name");

/** A link to the cluster as it is, from the share dialog. */
export async function shareLink(page) {
  await page.getByRole("button", { name: "Share" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await dialog.getByRole("button", { name: "Copied" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await dialog.getByRole("button", { name: "Close" }).click();
  return link;
}
