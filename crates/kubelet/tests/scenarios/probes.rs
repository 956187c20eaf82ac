//! Readiness, liveness and startup probes.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn readiness_follows_the_server() {
    let mut scene = Scene::new();
    scene.apply(
        "
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: default, annotations: { sim.tabernetes.dev/ready-after: 12s } }
spec:
  nodeName: node-1
  containers:
  - name: web
    image: nginx:1.27
    readinessProbe: { httpGet: { path: /healthz, port: 80 }, periodSeconds: 5 }
",
    );
    scene.run(40);
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
         30.742   BackOff (x2) spec.containers{web}: Back-off pulling image "nginx:1.27"
         30.742 ! Failed (x2) spec.containers{web}: Error: ImagePullBackOff
         30.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
    "#]].assert_eq(&scene.diary());
    expect!["[]"].assert_eq(&format!("{:?}", scene.kubelet.probe_results("default/web")));
}

#[test]
fn nothing_listens_on_the_port() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27\nreadinessProbe: { tcpSocket: { port: 8080 } }\nlivenessProbe: { httpGet: { port: 9, path: / }, periodSeconds: 3 }");
    scene.run(20);
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
}

#[test]
fn a_file_keeps_the_container_alive() {
    let mut scene = Scene::new();
    scene.pod(
        "
image: busybox:1.36
command: [sh, -c, 'touch /tmp/healthy; sleep 15; rm /tmp/healthy; sleep 600']
livenessProbe: { exec: { command: [cat, /tmp/healthy] }, initialDelaySeconds: 5, periodSeconds: 5, failureThreshold: 2 }
",
    );
    scene.run(75);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "busybox:1.36"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
         30.742   BackOff (x2) spec.containers{web}: Back-off pulling image "busybox:1.36"
         30.742 ! Failed (x2) spec.containers{web}: Error: ImagePullBackOff
         30.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         41.742   Pulling (x3) spec.containers{web}: Pulling image "busybox:1.36"
         41.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         42.142 ! Failed (x3) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         42.142 ! Failed (x3) spec.containers{web}: Error: ErrImagePull
         55.742   BackOff (x3) spec.containers{web}: Back-off pulling image "busybox:1.36"
         55.742 ! Failed (x3) spec.containers{web}: Error: ImagePullBackOff
         55.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         69.742   BackOff (x4) spec.containers{web}: Back-off pulling image "busybox:1.36"
         69.742 ! Failed (x4) spec.containers{web}: Error: ImagePullBackOff
         69.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_slow_start_is_waited_for() {
    let mut scene = Scene::new();
    scene.pod(
        "
image: busybox:1.36
command: [sh, -c, 'sleep 12; touch /tmp/up; sleep 600']
startupProbe: { exec: { command: [test, -e, /tmp/up] }, periodSeconds: 5, failureThreshold: 10 }
readinessProbe: { exec: { command: ['true'] }, periodSeconds: 30 }
",
    );
    scene.run(30);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "busybox:1.36"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
    "#]].assert_eq(&scene.diary());
}
