//! Pods that start as they should.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn a_plain_pod_starts() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27\nports: [{ containerPort: 80 }]");
    scene.run(30);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +3.270   Pulled spec.containers{web}: Successfully pulled image "nginx:1.27" in 2.72s (2.72s including waiting). Image size: 72000000 bytes.
        +3.300   Created spec.containers{web}: Container created
        +3.350   Started spec.containers{web}: Container started
        +3.742   web = Running sandbox ready [web running ready]
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
        +0.000   web = Pending
        +0.000   web = Pending [setup PodInitializing] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
        +0.550   Pulling spec.initContainers{setup}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [setup PodInitializing] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
        +1.407   Pulled spec.initContainers{setup}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437   Created spec.initContainers{setup}: Container created
        +1.487   Started spec.initContainers{setup}: Container started
        +1.742   web = Pending sandbox [setup running] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
        +4.742   Pulled spec.initContainers{proxy}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +4.742   web = Pending sandbox [setup Completed:0 ready] [proxy PodInitializing] [check PodInitializing] [web PodInitializing]
        +4.772   Created spec.initContainers{proxy}: Container created
        +4.822   Started spec.initContainers{proxy}: Container started
        +5.742   Pulled spec.initContainers{check}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +5.742   web = Pending sandbox [setup Completed:0 ready] [proxy running ready] [check PodInitializing] [web PodInitializing]
        +5.772   Created spec.initContainers{check}: Container created
        +5.822   Started spec.initContainers{check}: Container started
        +6.742   Pulling spec.containers{web}: Pulling image "nginx:1.27"
        +6.742   web = Pending sandbox [setup Completed:0 ready] [proxy running ready] [check Completed:0 ready] [web PodInitializing]
        +9.462   Pulled spec.containers{web}: Successfully pulled image "nginx:1.27" in 2.72s (2.72s including waiting). Image size: 72000000 bytes.
        +9.492   Created spec.containers{web}: Container created
        +9.542   Started spec.containers{web}: Container started
        +9.742   web = Running sandbox ready [setup Completed:0 ready] [proxy running ready] [check Completed:0 ready] [web running ready]
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
data: { word: c3dvcmRmaXNo }
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
args: ['env | sort | grep -v KUBERNETES; sleep 1000']
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
        CFG_color=blue
        CFG_size=3
        CPU=250
        GREETING=hello web, blue $(UNKNOWN) $(NAME)
        HOME=/root
        HOSTNAME=web
        IP=10.244.1.2
        MY_DB_PORT=tcp://10.96.7.7:5432
        MY_DB_PORT_5432_TCP=tcp://10.96.7.7:5432
        MY_DB_PORT_5432_TCP_ADDR=10.96.7.7
        MY_DB_PORT_5432_TCP_PORT=5432
        MY_DB_PORT_5432_TCP_PROTO=tcp
        MY_DB_SERVICE_HOST=10.96.7.7
        MY_DB_SERVICE_PORT=5432
        MY_DB_SERVICE_PORT_SQL=5432
        NAME=web
        NODE=node-1
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        WORD=swordfish
    "#]]
    .assert_eq(&scene.logs("web", false));
}
