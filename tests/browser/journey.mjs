// A visitor's first quarter of an hour: apply, see it serve, break it, roll it back, share it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apply, said, shareLink, type, typeUntil } from "./support/cluster.mjs";
import { assertClean, clusterRendered, launch, visit } from "./support/page.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test("the guestbook serves, survives a broken rollout, and travels in a link", async (t) => {
  const visitor = await visit(browser);
  const { page } = visitor;
  await clusterRendered(page);

  await t.test("applied, it serves traffic", async () => {
    const { refused } = await apply(page);
    assert.deepEqual(refused, []);
    assert.match(await said(page).innerText(), /created|configured|unchanged|same as in the cluster/);
    const rolledOut = await type(page, "kubectl rollout status deployment/frontend");
    assert.match(rolledOut, /successfully rolled out/);
    await page.getByRole("region", { name: "Clients" }).getByText("req/s").waitFor();
  });

  await t.test("an image that does not exist leaves the old Pods serving", async () => {
    const before = await type(page, "kubectl get deployment frontend -o jsonpath={.status.readyReplicas}");
    await type(page, "kubectl set image deployment/frontend *=nginx:no-such-tag");
    const pods = await typeUntil(page, "kubectl get pods", /ErrImagePull|ImagePullBackOff/);
    assert.match(pods, /frontend-\S+ +1\/1 +Running/);
    const available = await type(page, "kubectl get deployment frontend -o jsonpath={.status.availableReplicas}");
    assert.ok(Number(available) >= Math.ceil(Number(before) * 0.75), `${available} of ${before} Pods still serve`);
    await page.getByRole("region", { name: "Clients" }).getByText("req/s").waitFor();
  });

  await t.test("rolled back, every Pod is ready again", async () => {
    assert.match(await type(page, "kubectl rollout undo deployment/frontend"), /rolled back/);
    assert.match(await type(page, "kubectl rollout status deployment/frontend"), /successfully rolled out/);
    await typeUntil(page, "kubectl get pods", /^(?![^]*(ErrImagePull|ImagePullBackOff))/);
  });

  await t.test("a link opens the same cluster for somebody else", async () => {
    await page.getByRole("button", { name: "Pause (Space)" }).click();
    const link = await shareLink(page);
    const there = await visit(browser, link);
    await clusterRendered(there.page);
    for (const line of ["kubectl get pods -A -o wide", "kubectl get rs,svc,endpointslices", "kubectl get events"]) {
      assert.equal(await type(there.page, line), await type(page, line), line);
    }
    assertClean(there);
    await there.context.close();
  });

  assertClean(visitor);
  await visitor.context.close();
});
