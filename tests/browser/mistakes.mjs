// Whatever a visitor types or opens: a clear answer, and the cluster as it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apply, editor, objects, openFile, said, shareLink } from "./support/cluster.mjs";
import { assertClean, clusterRendered, launch, url, visit } from "./support/page.mjs";

let browser;
let visitor;
let page;
before(async () => {
  browser = await launch();
  visitor = await visit(browser);
  page = visitor.page;
  await clusterRendered(page);
});
after(() => browser?.close());

const configMap = (more) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mistake}\n${more}\n`;

/** Ten levels of nine aliases each: a few lines that stand for three billion. */
const aliasBomb = ["a: &a [x,x,x,x,x,x,x,x,x]"]
  .concat([..."bcdefghij"].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[index]}`)}]`))
  .join("\n");

const wrongSelector = `apiVersion: apps/v1
kind: Deployment
metadata: {name: mistake}
spec:
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: other}}
    spec: {containers: [{name: web, image: nginx}]}
`;

/** What the Service was long ago, as an editor that was left open would send it. */
const stale = `apiVersion: v1
kind: Service
metadata: {name: frontend, resourceVersion: "1"}
spec:
  selector: {app: guestbook, tier: frontend}
  ports: [{port: 8080, targetPort: 80}]
`;

/** A name, a text, and what the answer must say of it. */
const refusedTexts = [
  ["wrong-yaml.yaml", "kind: ConfigMap\n  metadata: [", /yaml|mapping|line \d/i],
  ["not-an-object.yaml", "just a sentence\n", /object|kind|apiVersion|json|yaml/i],
  ["unknown-kind.yaml", "apiVersion: v1\nkind: Podd\nmetadata: {name: mistake}\n", /no matches for kind "Podd"/],
  ["unknown-field.yaml", configMap("dataa: {}"), /unknown field "dataa"/],
  ["wrong-type.yaml", configMap("data: [1, 2]"), /data/],
  ["no-name.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", /name/],
  ["invalid.yaml", wrongSelector, /Invalid value.*`selector` does not match template `labels`/],
  ["conflict.yaml", stale, /the object has been modified; please apply your changes to the latest version/],
  ["control-characters.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \u0007\u0000}\n", /control|character|yaml/i],
  ["alias-bomb.yaml", configMap(aliasBomb), /alias|too|unknown field|yaml/i],
  ["deeply-nested.yaml", configMap(`data: ${"[".repeat(20_000)}`), /deep|nest|yaml|depth|recursion/i],
];

for (const [name, text, expected] of refusedTexts) {
  test(`${name} is refused with a reason`, async () => {
    const before = await objects(page);
    await openFile(page, name, text);
    const answer = await apply(page);
    assert.equal(answer.refused.length, 1);
    assert.match(answer.refused[0].message, expected);
    assert.match(answer.said, /1 refused/);
    assert.equal(await objects(page), before);
  });
}

test("what nothing acts upon is said to be stored alone", async () => {
  const spec = "spec: {podSelector: {}, policyTypes: [Ingress]}";
  const policy = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\n${spec}\n`;
  await openFile(page, "policy.yaml", policy);
  const { said, refused } = await apply(page);
  assert.deepEqual(refused, []);
  assert.match(said, /1 created.*NetworkPolicy: stored, not simulated/);
});

test("a text of 5 MB is shown, and not applied", async () => {
  const before = await objects(page);
  await openFile(page, "long.yaml", configMap(`data: {long: ${"x".repeat(5e6)}}`));
  assert.match(await said(page).innerText(), /too long/);
  assert.ok(await editor(page).getByRole("button", { name: /^Apply/ }).isDisabled());
  assert.equal(await objects(page), before);
});

test("2,000 documents are applied while the page stays alive", async () => {
  const one = (index) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: many-${index}}\n`;
  await openFile(page, "many.yaml", Array.from({ length: 2000 }, (_, index) => one(index)).join("---\n"));
  const { refused } = await apply(page);
  assert.deepEqual(refused, []);
  assert.match(await said(page).innerText(), /2,?000 created/);
});

test("broken links say what is wrong with them and offer a way on", async (t) => {
  const link = await shareLink(page);
  const address = link.split("#")[0];
  const fragment = link.split("#")[1];
  const middle = Math.floor(fragment.length / 2);
  const other = fragment[middle] === "A" ? "B" : "A";
  const broken = [
    ["cut short", fragment.slice(0, middle), /This link is cut short/],
    ["changed", fragment.slice(0, middle) + other + fragment.slice(middle + 1), /This link cannot be read/],
    ["of a newer version", fragment.replace(/^v\d+/, "v999"), /needs a newer Tabernetes/],
    ["of an unknown codec", fragment.replace(/^(v\d+)\.[^.]*/, "$1.zz"), /needs a newer Tabernetes/],
    ["no link at all", "%00<script>", /This link (cannot be read|is cut short)|needs a newer/],
  ];
  for (const [what, text, expected] of broken) {
    await t.test(what, async () => {
      const there = await visit(browser, `${address}#${text}`);
      const alert = there.page.getByRole("alert").filter({ hasText: expected });
      await alert.waitFor();
      await alert.getByRole("button", { name: "Start with an example" }).click();
      await clusterRendered(there.page);
      assertClean(there);
      await there.context.close();
    });
  }
});

test("nothing of all that upset the page", () => assertClean(visitor, new URL(url).origin));
