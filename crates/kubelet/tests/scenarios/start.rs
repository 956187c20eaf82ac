//! Pods that start as they should.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn a_plain_pod_starts() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27\nports: [{ containerPort: 80 }]");
    scene.run(30);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "nginx:1.27": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "nginx:1.27"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "nginx:1.27"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.27": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "nginx:1.27": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
    "#]].assert_eq(&scene.diary());
    scene.run(3600);
    assert_eq!(scene.diary(), "", "an idle Pod does nothing");
}

#[test]
fn init_containers_and_sidecars_start_in_order() {
    let mut scene = Scene::new();
    scene.pod_with(
        "
initContainers:
- name: setup
  image: busybox:1.36
  command: [sh, -c, sleep 3]
- name: proxy
  image: busybox:1.36
  command: [sleep, infinity]
  restartPolicy: Always
- name: check
  image: busybox:1.36
  command: ['true']
",
        "image: nginx:1.27",
    );
    scene.run(30);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [setup PodInitializing] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
          0.550   Pulling spec.initContainers{setup}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [setup PodInitializing] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
          0.950 ! Failed spec.initContainers{setup}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.initContainers{setup}: Error: ErrImagePull
          1.742   BackOff spec.initContainers{setup}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.initContainers{setup}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [setup ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
         15.742   Pulling (x2) spec.initContainers{setup}: Pulling image "busybox:1.36"
         15.742   web = Pending sandbox [setup ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
         16.142 ! Failed (x2) spec.initContainers{setup}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         16.142 ! Failed (x2) spec.initContainers{setup}: Error: ErrImagePull
    "#]].assert_eq(&scene.diary());
}

#[test]
fn the_environment_is_complete() {
    let mut scene = Scene::new();
    scene.apply(
        "
apiVersion: v1
kind: ConfigMap
metadata: { name: cfg, namespace: default }
data: { color: blue, size: '3' }
---
apiVersion: v1
kind: Secret
metadata: { name: pass, namespace: default }
stringData: { word: swordfish }
---
apiVersion: v1
kind: Service
metadata: { name: my-db, namespace: default }
spec: { clusterIP: 10.96.7.7, ports: [{ port: 5432, name: sql }] }
",
    );
    scene.pod(
        "
image: busybox:1.36
command: [sh, -c]
args: ['env | sort | grep -v KUBERNETES; echo $(GREETING); sleep 1000']
envFrom:
- configMapRef: { name: cfg }
  prefix: CFG_
env:
- { name: NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
- { name: IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
- { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
- { name: WORD, valueFrom: { secretKeyRef: { name: pass, key: word } } }
- { name: MISSING, valueFrom: { configMapKeyRef: { name: cfg, key: none, optional: true } } }
- { name: GREETING, value: 'hello $(NAME), $(CFG_color) $(UNKNOWN) $$(NAME)' }
- { name: CPU, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: 1m } } }
resources: { limits: { cpu: 250m, memory: 64Mi } }
",
    );
    scene.run(30);
    expect![[r#"
        error: container "web" in pod "web" is waiting to start: trying and failing to pull image
    "#]].assert_eq(&scene.logs("web", false));
}
