// What the official JavaScript client does in a day: create, watch with an informer, patch, exec, delete.

import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';

// Modules are found from where the test was started.
const k8s = createRequire(`${process.cwd()}/`)('@kubernetes/client-node');

const config = new k8s.KubeConfig();
config.loadFromFile(process.argv[2]);
const core = config.makeApiClient(k8s.CoreV1Api);
const namespace = 'default';

const listPods = () => core.listNamespacedPod({ namespace });
const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, listPods);
const isRunning = new Promise((resolve, reject) => {
    informer.on('update', (pod) => pod.status?.containerStatuses?.every((status) => status.ready) && resolve(pod));
    informer.on('error', reject);
    setTimeout(() => reject(new Error('the Pod does not come to run')), 60_000).unref();
});
await informer.start();
const body = {
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'nginx:1.27' }] },
};
await core.createNamespacedPod({ namespace, body });
await isRunning;

const labelled = await core.patchNamespacedPod(
    { name: 'web', namespace, body: { metadata: { labels: { tier: 'front' } } } },
    k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.StrategicMergePatch),
);
if (labelled.metadata.labels.tier !== 'front') throw new Error(JSON.stringify(labelled));

const out = new PassThrough();
let said = '';
out.on('data', (piece) => (said += piece));
const status = await new Promise((resolve, reject) => {
    new k8s.Exec(config)
        .exec(namespace, 'web', 'web', ['sh', '-c', 'echo hello'], out, null, null, false, resolve)
        .catch(reject);
});
if (status.status !== 'Success' || said !== 'hello\n') throw new Error(`${JSON.stringify(status)} ${said}`);

await informer.stop();
await core.deleteNamespacedPod({ name: 'web', namespace });
console.log('ok');
process.exit(0);
